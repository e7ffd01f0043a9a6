#!/usr/bin/python3
"""Breaks each invariant on purpose and requires that a test notices.

    tests/mutations.py [-l] [NAME...]     NAME: part of a mutation's name

Works on a copy of the tree in a scratch folder; the tree itself is never
touched. For each mutation one piece of code is replaced, the copy built, and
the tests named run: they must fail. Then the piece is put back. Before the
first, the same tests must pass unbroken. Ends with
`N passed, N failed, N skipped`: passed is a mutation that was noticed.
docs/testing.md says what each stands for.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclass
class Mutation:
    name: str
    file: str
    old: str
    new: str
    unit: tuple = ()        # meson tests
    end: tuple = ()         # pytest targets, on real servers


FAULTS = "tests/end/test_faults.py"
MUTATIONS = [
    Mutation("a claim of ability is decided at the start of a version alone",
             "src/claim/ability.c",
             "\t*next_ms = directory_changes_at(x->directory, x->from_ms);\n",
             "\t*next_ms = INT64_MAX;\n",
             unit=("verify-ability",)),
    Mutation("a reconciliation that found something counts as one that fits",
             "src/claim/held.c",
             "if (count(&h->rec) > 0)",
             "if (count(&h->rec) > 1000000)",
             unit=("verify-reconciled",)),
    Mutation("lines that a store's log lacks go unnoticed",
             "src/claim/lines.c",
             "for (i = 1; i < s->n; i++) {",
             "for (i = 1; i < s->n && s->n > LINES_SPANS_MAX; i++) {",
             unit=("verify-reconciled", "pglog")),
    Mutation("hidden rows on another server meet a reader's conditions",
             "src/enforce/far.c",
             'buf_str(out, " WITH (security_barrier)");',
             'buf_str(out, "");',
             end=("tests/enforce/test_far.py::test_a_hidden_row_over_there_"
                  "makes_no_error",)),
    Mutation("somebody under the same control approves",
             "src/policy/approvers.c",
             "return ret->who != NULL || ret->label != NULL ||",
             "return ret->label != NULL ||",
             unit=("grants",)),
    Mutation("an approval stays after it has expired",
             "src/policy/grants_check.c",
             "x->revoked_by != NULL ||\n\t    at_ms >= x->until_ms)",
             "x->revoked_by != NULL)",
             unit=("grants",)),
    Mutation("glass that nobody reviewed closes nothing",
             "src/policy/grants.c",
             "\t\t    at_ms >= x->review_ms && strcmp(",
             "\t\t    at_ms < 0 && strcmp(",
             unit=("grants",)),
    Mutation("a step takes effect though the log did not take it",
             "src/gateway/steps.c",
             "\tif (e == 0 || (e == ERR_STATE && takes_away(step->kind))) {",
             "\tif (true) {",
             end=("tests/end/test_approvals.py",)),
    Mutation("approvals are forgotten when the gateway starts",
             "src/gateway/recall.c",
             "\tif (recall->hello->next > 0 &&",
             "\tif (recall->hello->next == UINT64_MAX &&",
             end=("tests/end/test_approvals.py",)),
    Mutation("the verifier takes a session's word for its approval",
             "src/claim/approvals.c",
             "\tif (there == NULL || !same(there, &said,",
             "\tif (there != NULL && !same(there, &said,",
             unit=("verify-approvals",)),
    Mutation("a login in the clear counts as one over TLS",
             "src/gateway/login_match.c",
             "return (r->type == LOGIN_HOSTSSL) == q->encrypted;",
             "return true;",
             unit=("login_rules",)),
    Mutation("a record counts as durable when it is submitted",
             "src/gateway/log_submit.c",
             "\tif (r == 0) {\n\t\tp = NULL;\t/* the list's */\n",
             "\tif (r == 0) {\n\t\tif (done != NULL)\n"
             "\t\t\tdone(arg, 0, p->seq);\n"
             "\t\tp->done = NULL;\n\t\tp = NULL;\n",
             end=(f"{FAULTS}::test_no_row_is_released_while_the_log_is_"
                  "stopped",)),
    Mutation("the log answers before its journal is synced",
             "src/store/journal.c",
             "if (j->disk->sync(j->disk->arg, j->fd) != 0) {",
             "if (j->disk == NULL) {",
             unit=("journal", "log_process")),
    Mutation("a full disk is taken for success",
             "src/store/journal.c",
             "\t\terrno = saved;\n\t\treturn r;\n\t}\n\tif (j->disk->sync",
             "\t\terrno = saved;\n\t}\n\tif (j->disk->sync",
             unit=("journal",)),
    Mutation("a statement's record forgets a table that it reads",
             "src/gateway/cover.c",
             "c->tables[i] = c->tables[i] || j->tables[i];",
             "c->tables[i] = c->tables[i] ||\n"
             "\t\t    (j->tables[i] && (i % 2) == 0);",
             end=("tests/end/test_protocol.py", "tests/end/test_story.py")),
    Mutation("a statement that cannot be read counts as harmless",
             "src/gateway/judge.c",
             "\tif (st->whole)\n\t\tjudge_whole(w, st->whole_why);\n",
             "",
             unit=("judge",), end=("tests/end/test_protocol.py",)),
    Mutation("shares that nobody is known to hold count for nothing",
             "src/directory/definition.c",
             "w->sum[i] = doubt ? w->members[i].rest : 0;",
             "w->sum[i] = 0;", unit=("definition",)),
    Mutation("an exception that may not hold spares a reader",
             "src/directory/definition.c",
             "if (m->unless > (doubt ? MAYBE : NO))",
             "if (m->unless > NO)", unit=("definition",)),
    Mutation("a store that does not say how many people it has is small",
             "src/policy/bulk.c",
             "(c->has_at_most && c->at_most <= f.more_than))",
             "!c->has_at_most || c->at_most <= f.more_than)",
             unit=("who",)),
    Mutation("a fact that is not known lets a forbid pass",
             "src/policy/rule.c",
             "return t == TRUTH_TRUE || (t == TRUTH_UNKNOWN &&\n"
             "\t    r->verb != VERB_PERMIT);",
             "return t == TRUTH_TRUE;",
             unit=("policy", "policy_random", "story")),
    Mutation("a fact that is not known satisfies a permit",
             "src/policy/rule.c",
             "return t == TRUTH_TRUE || (t == TRUTH_UNKNOWN &&\n"
             "\t    r->verb != VERB_PERMIT);",
             "return t != TRUTH_FALSE || r == NULL;",
             unit=("policy", "policy_random", "story")),
    Mutation("a clearance's rows are not filtered",
             "src/enforce/enforce.c",
             "\tif (ct->table->is_public || c->residence_store)\n"
             "\t\treturn;\n\tbuf_fmt(out, \"CREATE POLICY %s_rows ON \", role);",
             "\tif (ct->table != NULL)\n"
             "\t\treturn;\n\tbuf_fmt(out, \"CREATE POLICY %s_rows ON \", role);",
             end=("tests/enforce/test_clearance.py",)),
    Mutation("of a row with two subjects only one is asked",
             "src/enforce/enforce.c",
             "\tfor (i = 0; i < ct->table->n_subjects; i++) {\n"
             "\t\tbuf_str(out, i > 0 ? \"\\n\\tAND \" : \"\\n\\t\");",
             "\tfor (i = 0; i < 1; i++) {\n"
             "\t\tbuf_str(out, i > 0 ? \"\\n\\tAND \" : \"\\n\\t\");",
             end=("tests/enforce/test_clearance.py",)),
    Mutation("a service is let in from anywhere",
             "src/gateway/session_open.c",
             "return s->standing->from_elsewhere &&\n"
             "\t    s->store->mode == STORE_ENFORCE;",
             "return s->standing->from_elsewhere && s->store == NULL;",
             end=("tests/end/test_story.py",)),
    Mutation("rows of an exact statement are released before their record",
             "src/gateway/person_exact.c",
             "\tbuf_bytes(&h->bytes, data, len);\n",
             "\tflow_add(&s->down, data, len);\n",
             end=(f"{FAULTS}::test_no_row_is_released_while_the_log_is_"
                  "stopped", "tests/end/test_exact.py")),
    Mutation("an exact record lists only the first subject",
             "src/gateway/tags.c",
             "if (*(at = slot(t, s)) != 0)",
             "if (*(at = slot(t, s)) != 0 || t->n > 0)",
             end=("tests/end/test_exact.py",)),
    Mutation("rows that a cursor passes over count for nothing",
             "src/gateway/names.c",
             "j->passes = x->prefix ? way == NAMING_PASSES : "
             "way != NAMING_ALL;",
             "j->passes = x->prefix && way == NAMING_PASSES && j == NULL;",
             end=("tests/end/test_cursors.py",)),
    Mutation("names stay sure whatever a function did to them",
             "src/gateway/person_names.c",
             "\tif (!s->standing->has_twins)\n\t\treturn;\n",
             "\tif (s != NULL)\n\t\treturn;\n",
             end=("tests/end/test_cursors.py",)),
    Mutation("of several statements only the first one's record is awaited",
             "src/gateway/person_script.c",
             "\tfor (i = 0; i < sc->n; i++)\n\t\tif (sc->parts[i].bounded && "
             "!sc->parts[i].recorded)\n\t\t\treturn wait_for",
             "\tfor (i = 0; i < 1; i++)\n\t\tif (sc->parts[i].bounded && "
             "!sc->parts[i].recorded)\n\t\t\treturn wait_for",
             end=("tests/end/test_cursors.py",)),
    Mutation("an error as a held cursor is filled is covered by nothing",
             "src/gateway/person_exact.c",
             "return type == 'E' ? held_error(s) : 0;",
             "return type == 0 ? held_error(s) : 0;",
             end=("tests/end/test_cursors.py",)),
    Mutation("a folder of reads may have one that lists somebody else",
             "src/verify/seen.c",
             "RECORD_STATEMENT && !s->listed[i] &&",
             "RECORD_STATEMENT && s->list.n == 0 &&",
             end=("tests/end/test_seen.py",)),
    Mutation("of a row with many subjects some are not written down",
             "src/gateway/person_exact.c",
             "\t    submit(s, h->run) == PERSON_WAITS;",
             "\t    (h->run->tags.recorded = h->run->tags.n) == 0;",
             end=("tests/end/test_limits.py",)),
    Mutation("a portal's first rows are exact, whatever they depend on",
             "src/gateway/person_exact.c",
             "\treturn r->meaning->judgement->exact->prefix;",
             "\treturn r->meaning->judgement->exact != NULL;",
             end=("tests/end/test_exact.py",)),
    Mutation("any of the numbered rows may be taken, not the first only",
             "src/lineage/window.c",
             "\t    n->a_const->ival->ival == 1;",
             "\t    n->a_const->ival->ival >= 1;",
             end=("tests/lineage/test_rewrite.py",)),
    Mutation("one of several conditions makes groups one subject's",
             "src/lineage/single.c",
             "n->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR",
             "n->bool_expr->boolop != PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR",
             end=("tests/lineage/test_rewrite.py",)),
    Mutation("INTERSECT compares what may change",
             "src/lineage/setop.c",
             "\t    unchanging(&right->columns) : right->hidden == NULL);",
             "\t    right->columns.known : right->hidden == NULL);",
             end=("tests/lineage/test_rewrite.py",)),
    Mutation("a fact that has ended is not felt by an open session",
             "src/gateway/move.c",
             "\treturn s->standing->until_ms != INT64_MAX &&\n"
             "\t    clock_now_ms() >= s->standing->until_ms;",
             "\treturn false;",
             end=("tests/end/test_reload.py",)),
    Mutation("what an older version decided is found again",
             "src/policy/cache.c",
             "c->version == k->version && c->turns_ms == k->turns_ms",
             "c->turns_ms == k->turns_ms",
             unit=("cache",)),
    Mutation("two tickets stand for one in what is kept",
             "src/policy/cache.c",
             "\tput_text(c, k->ticket);\n", "",
             unit=("cache",)),
    Mutation("a rule counts as idle though something is shown without it",
             "src/policy/needed.c",
             "memcmp(n->shown, n->without,\n\t\t    cells) != 0;",
             "memcmp(n->shown, n->without,\n\t\t    cells) < 0;",
             unit=("needed",)),
    Mutation("an owner's place of business that nobody wrote is not doubted",
             "src/directory/ownership.c",
             "!known || (w->d->doubts_places && !placed &&\n"
             "\t    node->kind == NODE_ENTITY);",
             "!known;",
             unit=("placeless",)),
    Mutation("who saw it: a list that was cut off counts as whole",
             "src/seen/fill.c",
             "(e = seen_doubt_open(x, s.id)) != 0 ||",
             "e != 0 ||",
             unit=("seen",)),
    Mutation("what a rule wants exact may be bounded",
             "src/claim/disclose.c",
             "if (p->demanded != NULL && !p->exact &&",
             "if (p->demanded != NULL && p->exact &&",
             unit=("verify-demands",)),
    Mutation("what a reader is counts as of the beginning alone",
             "src/claim/defined.c",
             "else if (*ret != last->truth)",
             "else if (turns > DEFINED_TURNS_MAX)",
             unit=("verify-naive",)),
    Mutation("a bundle leaves out the rest of a statement's list",
             "src/verify/evidence_write.c",
             "if (!of_listing(b, r) && !cited && !of_service(b, r))",
             "if ((of_listing(b, r), !cited) && !of_service(b, r))",
             unit=("verify-evidence",)),
    Mutation("a witness that contradicts is passed over",
             "src/cli/cosigner.c",
             "left[i] = s->witnesses[i].result != ERR_CONFLICT;",
             "left[i] = true;",
             end=("tests/end/test_witnessed.py",)),
    Mutation("the verifier takes a reader who is not known for another",
             "src/claim/match.c",
             "\t\treturn TRUTH_UNKNOWN;\n\treturn TRUTH_TRUE;\n}",
             "\t\treturn TRUTH_FALSE;\n\treturn TRUTH_TRUE;\n}",
             unit=("verify-claim", "verify-naive")),
    Mutation("the verifier takes a list that no result ends for whole",
             "src/claim/disclose.c",
             "bool whole = p->exact && out->known &&",
             "bool whole = p->exact && out != NULL &&",
             unit=("verify-claim", "verify-naive")),
    Mutation("the verifier takes a mixed bound for none of the claim's",
             "src/claim/match.c",
             "\tret->truth = TRUTH_UNKNOWN;\n\tif (y->n_residences",
             "\tret->truth = TRUTH_FALSE;\n\tif (y->n_residences",
             unit=("verify-claim", "verify-naive")),
    Mutation("the verifier does not look at the numbers of a session",
             "src/claim/track.c",
             "\tif (n != s->n + 1 &&",
             "\tif (n == 0 && n != s->n + 1 &&",
             unit=("verify-log", "verify-claim")),
    Mutation("the verifier does not compare tiles with entries",
             "src/logdir/tree.c",
             "if (memcmp(b->data + (size_t)i * HASH_LEN,",
             "if (b == NULL && memcmp(b->data + (size_t)i * HASH_LEN,",
             unit=("verify-log",)),
    Mutation("an encrypted stream that is cut off counts as ended",
             "src/tls/tls.c",
             "\texplain(t, e);\n\treturn ERR_IO;\n",
             "\texplain(t, e);\n\treturn 0;\n",
             unit=("tls",)),
    Mutation("the binding is always by SHA-256",
             "src/tls/tls.c",
             "if (nid == NID_md5 || nid == NID_sha1)\n",
             "if (nid != NID_sha256)\n",
             unit=("tls",)),
    Mutation("a name with a NUL in it is compared up to there",
             "src/tls/tls.c",
             "return len >= 0 && strlen(name) == (size_t)len &&\n"
             "\t    memcmp(name, data, (size_t)len) == 0;",
             "return len >= 0 && strcmp(name, (const char *)data) == 0;",
             unit=("tls",)),
    Mutation("an offer from which channel binding was taken is not noticed",
             "src/crypto/scram.c",
             "if (in[0] == 'y' && s->end_point_len > 0)",
             "if (in[0] == 'y' && s->end_point_len > SCRAM_BINDING_MAX)",
             unit=("scram",)),
    Mutation("a password bound to another certificate is taken",
             "src/crypto/scram.c",
             "\telse if (s->plus)\n\t\tr = ERR_CONFLICT;\n",
             "\telse if (s->plus)\n\t\tr = 0;\n",
             unit=("scram",)),
    Mutation("what stands behind SSLRequest is taken for what comes later",
             "src/gateway/session_login.c",
             "if (reader_left(&r) > 0 && st.kind != STARTUP_SESSION) {",
             "if (reader_left(&r) > STARTUP_MAX) {",
             end=("tests/end/test_tls.py",)),
    Mutation("a certificate is good for every principal that has one",
             "src/gateway/auth.c",
             "if (strcmp(c->principal, s->user) == 0 &&\n",
             "if (is_listed(t, s->user) &&\n",
             end=("tests/end/test_tls.py",)),
    Mutation("whoever connects in the clear is let in",
             "src/gateway/config_tls.c",
             "CONFIG_TLS_REQUIRE:\n\t\tbreak;\n\t}\n\treturn false;",
             "CONFIG_TLS_REQUIRE:\n\t\tbreak;\n\t}\n\treturn true;",
             end=("tests/end/test_tls.py",)),
    Mutation("a store that does not encrypt is used in the clear",
             "src/gateway/link.c",
             "} else if (answer == 'N' && l->mode == LINK_TLS_PREFER) {",
             "} else if (answer == 'N') {",
             end=("tests/end/test_tls.py",)),
    Mutation("a store that has drifted stays open",
             "src/gateway/drift_look.c",
             "\t\tatomic_store(&w->state, WATCHED_DRIFTED);",
             "\t\tatomic_store(&w->state, WATCHED_OPEN);",
             end=("tests/end/test_drift.py",)),
    Mutation("a row that is not shown is written by who may write others",
             "src/enforce/enforce.c",
             "\" AS RESTRICTIVE FOR %s TO %s_own USING (\", acts, role);",
             "\" AS RESTRICTIVE FOR %s TO %s_own USING (\",\n"
             "\t    *acts != 0 ? \"SELECT\" : acts, role);",
             end=("tests/enforce/test_writable.py",)),
    Mutation("what leads to a subject is updated",
             "src/policy/decide.c",
             "\t\t    !leads(w->q->catalog, t, t->columns[i].name)))",
             "\t\t    !leads(w->q->catalog, t, \"\")))",
             unit=("writes",)),
    Mutation("what may be written for one residence is written for all",
             "src/policy/decide.c",
             "\t\tif (outcomes[i].permitted && w->cells[i * n +",
             "\t\tif (i == 0 && outcomes[i].permitted && w->cells[i * n +",
             unit=("writes",)),
    Mutation("readers who write otherwise are taken for alike",
             "src/policy/alike.c",
             "\t\tif (p->writing[k] != NULL)\n",
             "\t\tif (p->writing[k] == p)\n",
             end=("tests/enforce/test_writable.py",)),
    Mutation("what an earlier apply sealed is as good as the last",
             "src/gateway/drift_look.c",
             "    &number) && number >= w->number && number >= s->number) {",
             "    &number) && number >= s->number) {",
             end=("tests/end/test_drift.py",)),
    Mutation("apply seals what had drifted before a part of it",
             "src/cli/apply_seal.c",
             "\tif (after && !a->as_left)",
             "\tif (after && a->seal.number > SEAL_NUMBER_MAX)",
             end=("tests/enforce/test_apply.py",)),
    Mutation("a store's certificate may be for another host",
             "src/gateway/link.c",
             "l->mode == LINK_TLS_VERIFY_FULL)) == NULL)) {",
             "false)) == NULL)) {",
             end=("tests/end/test_tls.py",)),
    Mutation("a change of key counts though only one key has signed it",
             "src/log/rotation.c",
             "\t    NULL)) == 0)\n\t\tr = note_check(note, len, &got.to,",
             "\t    NULL)) < 0)\n\t\tr = note_check(note, len, &got.to,",
             unit=("rotation", "verify-rotation")),
    Mutation("a key that was followed by another goes on to sign",
             "src/log/rotation.c",
             "for (i = s->n; i > 0 && s->seq[i - 1] >= size; i--)",
             "for (i = s->n; i > 0 && s->seq[i - 1] + 1 >= size; i--)",
             unit=("rotation", "verify-rotation")),
    Mutation("a log goes on whose change of key was cut short",
             "src/store/rotate.c",
             "!note_key_same(&to.to, key));",
             "to.seq == MERKLE_SIZE_MAX);",
             unit=("rotate",)),
    Mutation("a witness listens to a retired key",
             "src/witness/witness.c",
             "for (i = l->key; i < l->conf->n_keys; i++) {",
             "for (i = 0; i < l->conf->n_keys; i++) {",
             end=("tests/interop/test_witness.py",)),
    Mutation("a copy takes a second chain of keys",
             "src/witness/mirror.c",
             "else if (!(more = rotations_begin(&m->chain, &own)))",
             "else if ((more = true) && m->chain.n == ROTATIONS_MAX)",
             end=("tests/interop/test_mirror.py",)),
    Mutation("a token's signature is taken unseen",
             "src/key/token_process.c",
             "if ((r = sign_check(p->public, msg, len, a.sig)) == 0)",
             "if ((r = a.result) == 0)",
             end=("tests/end/test_keys.py",)),
    Mutation("a key file may have another key in it than it says",
             "src/key/keyfile.c",
             "memcmp(public, k->key.public, sizeof(public)) != 0)",
             "memcmp(public, public, sizeof(public)) != 0)",
             unit=("keyfile",)),
    Mutation("a passphrase stays in every process that is forked",
             "src/key/secret.c",
             "\t(void)madvise(s, sizeof(*s), MADV_WIPEONFORK);\n", "",
             unit=("keyfile",)),
    Mutation("the log process may make sockets",
             "src/gateway/sandbox_calls_linux.c",
             "SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),",
             "SCMP_SYS(epoll_wait), SCMP_SYS(socket),",
             unit=("sandbox",)),
    Mutation("threads that were there keep all their calls",
             "src/gateway/sandbox_calls_linux.c",
             "SCMP_FLTATR_CTL_TSYNC, 1)", "SCMP_FLTATR_CTL_TSYNC, 0)",
             unit=("sandbox",)),
    Mutation("the log process's calls are not restricted",
             "src/gateway/log_process.c",
             "\tif ((r = limit_calls(l)) != 0)\n\t\treturn r;\n", "\t(void)limit_calls;\n",
             end=("tests/end/test_keys.py",)),
    Mutation("a log that was cut off ends like one that stopped",
             "src/claim/track.c",
             "\tif (t->before == RECORD_STOP)\n\t\treturn gap(t, TRACK_LAST,",
             "\tif (t->booted)\n\t\treturn gap(t, TRACK_LAST,",
             unit=("verify-log",)),
]


class Copy:
    """The tree as git has it, with what is not committed, built."""

    def __init__(self, folder):
        self.root = folder / "tree"
        self.build = self.root / "build"
        files = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], cwd=ROOT, capture_output=True,
            check=True).stdout.decode().split("\0")
        for name in filter(None, files):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        self.run(["meson", "setup", self.build, "--buildtype=debugoptimized"])
        self.make()

    def run(self, argv, check=True):
        p = subprocess.run([str(a) for a in argv], cwd=self.root, text=True,
                           errors="replace", stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and p.returncode != 0:
            sys.exit(f"{' '.join(map(str, argv))} failed:\n{p.stdout}")
        return p

    def make(self):
        return self.run(["ninja", "-C", self.build])

    def failing(self, m):
        """What fails of a mutation's tests; the first part is enough."""
        for name in m.unit:
            p = self.run(["meson", "test", "-C", self.build, "--no-rebuild",
                          name], check=False)
            if p.returncode != 0:
                return f"meson test {name}"
        for target in m.end:
            p = self.run(["scripts/unprivileged.sh", "-b", self.build,
                          "/usr/bin/python3", "-m", "pytest", "-q", "-x",
                          "-p", "no:cacheprovider", "--tb=line", target],
                         check=False)
            if p.returncode != 0:
                lines = [line for line in p.stdout.splitlines()
                         if line.startswith(("FAILED", "ERROR"))]
                return lines[0] if lines else p.stdout[-2000:]
        return None


def main():
    wanted = [m for m in MUTATIONS if not sys.argv[1:] or
              any(a in m.name for a in sys.argv[1:])]
    if "-l" in sys.argv[1:]:
        for m in MUTATIONS:
            print(f"{m.file}: {m.name}")
        return 0
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with tempfile.TemporaryDirectory(prefix="sworn-mutations-") as folder:
        copy = Copy(pathlib.Path(folder))
        sound = Mutation("nothing broken", "", "", "",
                         tuple(sorted({u for m in wanted for u in m.unit})),
                         tuple(sorted({e for m in wanted for e in m.end})))
        failing = copy.failing(sound)
        if failing:
            sys.exit(f"fails without any mutation: {failing}")
        for m in wanted:
            path = copy.root / m.file
            text = path.read_text()
            if text.count(m.old) != 1:
                print(f"FAILED {m.name}: {m.file} has not once what it "
                      "replaces; bring it up to date")
                counts["failed"] += 1
                continue
            path.write_text(text.replace(m.old, m.new))
            copy.make()
            failing = copy.failing(m)
            path.write_text(text)
            counts["passed" if failing else "failed"] += 1
            print(f"{'noticed' if failing else 'NOT NOTICED'}: {m.name}"
                  + (f" ({failing})" if failing else ""), flush=True)
    print(", ".join(f"{n} {s}" for s, n in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
