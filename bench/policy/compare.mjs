// compare.mjs DECISIONS.json [REQUESTS [ROUNDS]]
//
// The rules and requests that bench_policy wrote, decided by Cedar, casbin and
// OPA: each with its policies parsed once, in the form that suits it best.
// Every answer is compared with ours. Processor time on both sides, medians
// of rounds, ratios to ours.
//
// An unknown fact makes a forbid apply and a permit not. Neither peer has
// such a value, so it is spelled out: a reader's list of countries holds
// "unknown" where it has to, and so does the list of each forbid.
//
// OPA is asked otherwise: opa.mjs says how.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { opa } from './opa.mjs';

const require = createRequire(import.meta.url);
const [file, asked = '200', rounds = '5'] = process.argv.slice(2);
const { rules, requests: all, us: ours } =
  JSON.parse(readFileSync(file, 'utf8'));
const requests = all.slice(0, Number(asked));

const READER = ['roles', 'employers', 'nationalities', 'located',
  'controlled', 'directed'];
const DATA = ['store', 'table', 'category', 'residence'];
const COUNTRIES = ['located', 'controlled', 'directed'];

// The values of a rule's list, with the unknown of a forbid spelled out.
function values(rule, key) {
  const list = rule.lists[key];
  if (list === undefined)
    return null;
  return rule.forbid && COUNTRIES.includes(key) ? [...list, 'unknown'] : list;
}

function facts(request, key) {
  const list = request.facts[key] ?? [];
  return request.facts.unknown[key] ? [...list, 'unknown'] : list;
}

// --- Cedar: a policy for each rule ---

function cedarRule(rule) {
  const quote = (s) => JSON.stringify(s);
  const when = [];
  for (const key of READER) {
    const list = values(rule, key);
    if (list !== null)
      when.push(`principal.${key}.containsAny([${list.map(quote)}])`);
  }
  for (const key of DATA) {
    const list = values(rule, key);
    if (list !== null)
      when.push(`[${list.map(quote)}].contains(resource.${key})`);
  }
  if (rule.lists.purpose !== undefined)
    when.push(`[${rule.lists.purpose.map(quote)}].contains(context.purpose)`);
  if (rule.ticket !== '')
    when.push(`context.ticket like ${quote(rule.ticket + '*')}`);
  return `${rule.forbid ? 'forbid' : 'permit'}(principal, ` +
    `action == Action::"read", resource) when { ${when.join(' && ') ||
    'true'} };`;
}

function cedarCall(q) {
  const principal = { type: 'Reader', id: q.id };
  const resource = { type: 'Data', id: 'd' };
  const attrs = {};
  for (const key of READER)
    attrs[key] = facts(q, key);
  const data = {};
  for (const key of DATA)
    data[key] = q.facts[key][0];
  return {
    principal, resource, action: { type: 'Action', id: 'read' },
    context: { purpose: q.facts.purpose[0], ticket: q.ticket },
    preparsedPolicySetId: 'bench',
    entities: [{ uid: principal, attrs, parents: [] },
      { uid: resource, attrs: data, parents: [] }],
  };
}

function cedar() {
  const engine = require('@cedar-policy/cedar-wasm/nodejs');
  const policies = {};
  rules.forEach((r, i) => { policies[`rule${i}`] = cedarRule(r); });
  const parsed = engine.preparsePolicySet('bench',
    { staticPolicies: policies });
  if (parsed.type !== 'success')
    throw new Error(JSON.stringify(parsed.errors[0]));
  return {
    name: `Cedar ${engine.getCedarSDKVersion()}`,
    prepare: cedarCall,
    decide(call) {
      const got = engine.statefulIsAuthorized(call);
      if (got.type !== 'success' ||
          got.response.diagnostics.errors.length > 0)
        throw new Error(JSON.stringify(got));
      return got.response.decision === 'allow';
    },
  };
}

// --- casbin: a line for each rule; a function for lists, split once ---

async function casbin() {
  const { newEnforcer, newModelFromString } = await import('casbin');
  const keys = [...READER, ...DATA, 'purpose'];
  const model = newModelFromString(`
[request_definition]
r = sub
[policy_definition]
p = ${keys.join(', ')}, ticket, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = ${[...keys.map((k) => `any(p.${k}, r.sub.${k})`),
    'starts(r.sub.ticket, p.ticket)'].join(' && ')}
`);
  const enforcer = await newEnforcer(model);
  const sets = new Map();
  const lines = rules.map((rule) => [...keys.map((k) => {
    const list = values(rule, k);
    const text = list === null ? '*' : list.join('|');
    if (list !== null)
      sets.set(text, new Set(list));
    return text;
  }), rule.ticket === '' ? '*' : rule.ticket,
  rule.forbid ? 'deny' : 'allow']);
  // Equal rules are one line there; dropping them changes no answer.
  const distinct = [...new Map(lines.map((l) => [l.join(), l])).values()];
  await enforcer.addPolicies(distinct);
  await enforcer.addFunction('any', (text, list) => {
    if (text === '*')
      return true;
    const set = sets.get(text);
    for (const v of list)
      if (set.has(v))
        return true;
    return false;
  });
  await enforcer.addFunction('starts',
    (ticket, prefix) => prefix === '*' || ticket.startsWith(prefix));
  return {
    name: `casbin ${require('casbin/package.json').version}`,
    prepare(q) {
      const sub = { ticket: q.ticket };
      for (const k of keys)
        sub[k] = facts(q, k);
      return sub;
    },
    decide: (sub) => enforcer.enforceSync(sub),
  };
}

// --- measuring ---

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1];
}

function measure(engine) {
  const calls = requests.map(engine.prepare);
  const answers = calls.map(engine.decide);	// this also warms it up
  const took = [];
  for (let r = 0; r < Number(rounds); r++) {
    const start = process.cpuUsage();
    for (const call of calls)
      engine.decide(call);
    const { user, system } = process.cpuUsage(start);
    took.push((user + system) / calls.length);
  }
  return { name: engine.name, took, answers };
}

console.log(`${rules.length} rules, ${requests.length} requests, ` +
  `${requests.filter((q) => q.answer).length} permitted, ` +
  `${rounds} rounds`);
console.log(`sworn: ${ours.toFixed(2)} us`);
let slow = false;
for (const ask of [() => measure(cedar()), async () => measure(await casbin()),
  () => opa({ rules, requests, single: [...DATA, 'purpose'], lists: READER,
    values, facts })]) {
  const { name, took, answers } = await ask();
  const wrong = requests.filter((q, i) => q.answer !== answers[i]).length;
  if (wrong > 0)
    throw new Error(`${name}: ${wrong} answers differ from ours`);
  const us = median(took), ratio = us / ours;
  console.log(`${name}: ${us.toFixed(1)} us, ` +
    `${ratio.toFixed(0)} times ours, same answers`);
  slow ||= ratio < 10;
}
if (slow) {
  console.error('compare: a peer takes less than 10 times as long as ours');
  process.exit(1);
}
