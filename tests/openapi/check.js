import { execFileSync } from 'node:child_process';
import { createReadStream, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { check, checkPlanted, summary, Server } from '../check.js';
import { Document } from './document.js';

const root = new URL('../../', import.meta.url);
const read = (name) => readFileSync(new URL(name, root), 'utf8');
const json = JSON.parse(read('static/openapi.json'));
const requests = Number(process.env.TEST_REQUESTS);

function same(what, wanted, got) {
  const missing = wanted.filter((each) => !got.includes(each));
  const more = got.filter((each) => !wanted.includes(each));
  if (missing.length > 0) throw new Error(`${what}: the document lacks ${missing.join(', ')}`);
  if (more.length > 0) throw new Error(`${what}: the program lacks ${more.join(', ')}`);
}

// ---- the program's tables ----

const ADMIN = '/metrics'; // of the admin port, which the document is not of

// The routes, and which of them come in several formats.
function routes() {
  const table = read('app/api/api.c').match(/http_route routes\[\] = \{([\s\S]*?)\n\};/)[1];
  const rows = [...table.matchAll(/\.pattern = "([^"]+)"([\s\S]*?)\.methods = \{([\s\S]*?)\}\},/g)]
    .map(([, path, members, methods]) => ({ path, hasFormats: members.includes('.formats = true'),
      methods: [...methods.matchAll(/HTTP_(\w+)/g)].map(([, method]) => method) }));
  return rows.filter(({ path }) => path !== ADMIN);
}

function pageParameters() {
  const table = read('app/api/page.c').match(/\} parameters\[\] = \{([\s\S]*?)\n\};/)[1];
  return [...table.matchAll(/\{"(\w+)"/g)].map(([, name]) => name);
}

// What any request may say: of HTTP itself, negotiation, CORS, logs and traces, and what proxies add.
const GENERAL = ['Accept', 'Accept-Encoding', 'Content-Encoding', 'Content-Length', 'Content-Type',
  'Host', 'Origin', 'Transfer-Encoding', 'Access-Control-Request-Method', 'X-Forwarded-For',
  'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-SSL', 'X-Request-Id', 'traceparent',
  'User-Agent', 'X-Amzn-Trace-Id'];

function requestHeaders() {
  return [...read('app/http/request.c').matchAll(/\[HTTP_HEADER_\w+\] = HEADER\("([^"]+)"\)/g)]
    .map(([, name]) => name).filter((name) => !GENERAL.includes(name));
}

function checkTables(document) {
  document.checkReferences();
  const operations = document.operations();
  same('routes', routes().flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`)),
    operations.map((each) => `${each.method.toUpperCase()} ${each.path}`));
  same('formats', routes().filter((each) => each.hasFormats).map((each) => each.path),
    Object.keys(document.json.paths).filter((path) => document.takesFormat(document.json.paths[path])));
  const list = operations.find((each) => each.path === '/todos' && each.method === 'get');
  same('parameters of GET /todos', [...pageParameters(), 'format'],
    list.parameters.filter((each) => each.in === 'query').map((each) => each.name));
  same('headers', requestHeaders(), [...new Set(operations.flatMap((each) =>
    each.parameters.filter((one) => one.in === 'header').map((one) => one.name)))]);
  const ids = operations.map((each) => each.operation.operationId);
  if (new Set(ids).size < ids.length) throw new Error('an operationId is there twice');
}

// ---- the server ----

const FRIEND = 'http://a.example'; // whose pages may change todos

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

function ask({ method, target, headers, body }) {
  return new Promise((done, fail) => {
    const sent = request({ port: server.port, host: '127.0.0.1', agent, method,
      path: target, headers: { ...headers, ...(body ? { 'Content-Length': Buffer.byteLength(body) } : {}) } },
    (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => done({ status: answer.statusCode,
        headers: new Headers(Object.entries(answer.headers).map(([n, v]) => [n, String(v)])),
        body: Buffer.concat(parts).toString() }));
    });
    sent.on('error', fail);
    sent.setTimeout(30000, () => sent.destroy(new Error('no answer in 30 s')));
    sent.end(body || undefined);
  });
}

// ---- requests ----

const RECENT = 'recent'; // stands for the id of the todo that was made last
const often = (usual, other) => fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: other });
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.fullUnicodeString({ maxLength: 12 }),
  fc.constantFrom('', 'null', 'a'.repeat(257), '%', '_', '\u0000'));
const number = fc.oneof(fc.integer({ min: -2, max: 1100 }), fc.maxSafeInteger(),
  fc.constantFrom(2147483647, 2147483648, -2147483649));
const place = fc.array(fc.oneof(fc.constant('null'), number.map(String)), { minLength: 1, maxLength: 3 })
  .map((values) => values.join(','));
const ordering = fc.array(fc.constantFrom('id', '-id', 'order', '-order', 'completed', '-completed'),
  { minLength: 1, maxLength: 3 }).map((names) => names.join(','));
const query = fc.record({
  limit: often(number.map(String), text),
  completed: often(fc.constantFrom('true', 'false'), text),
  search: text,
  ordering: often(ordering, text),
  after: often(place, text),
  before: often(place, text),
  format: often(fc.constantFrom('json', 'api', ''), text),
  page: text,
  other: text,
}, { requiredKeys: [] });
const etag = fc.constantFrom('*', '"x"', 'W/"x"', '"a", "b"', 'nonsense');
const headers = often(fc.constant({ Accept: '*/*' }), fc.record({
  'Accept': fc.constantFrom('*/*', 'application/json', 'text/html', 'application/problem+json, */*;q=0.5',
    'application/problem+json', 'image/png', 'application/json;indent=3', ''),
  'If-Match': etag,
  'If-None-Match': etag,
  'Idempotency-Key': fc.oneof(fc.uuid().map((key) => `"${key}"`), fc.constantFrom('"same"', 'same', '')),
  'Origin': fc.constantFrom(FRIEND, 'null'),
  'Prefer': fc.constantFrom('wait=0', 'wait=5', 'respond-async, wait="5"; x', 'wait', 'wait=x'),
  'X-Request-Id': fc.constantFrom('a-b', 'a b', ''),
  'X-Amzn-Trace-Id': fc.constantFrom('Root=1-67891233-abcdef012345678912345678;Sampled=?', 'Root=x', ''),
}, { requiredKeys: [] }));
const fields = fc.record({ title: often(fc.string({ maxLength: 20 }), fc.anything()),
  completed: often(fc.boolean(), fc.anything()), order: often(fc.integer({ min: -9, max: 9 }), fc.anything()) },
{ requiredKeys: [] });
const changes = fc.array(fc.tuple(fields, often(fc.constant({ url: `/todos/${RECENT}` }),
  fc.oneof(fc.constant({}), text.map((url) => ({ url }))))).map(([values, url]) => ({ ...values, ...url })),
{ minLength: 1, maxLength: 4 });
const stringify = (value) => {
  try { return JSON.stringify(value) ?? ''; } catch { return ''; } // a BigInt
};
const body = often(
  fc.oneof(fields, changes).map((value) => ({ type: 'application/json', body: stringify(value) })), fc.oneof(
  fc.json().map((value) => ({ type: 'application/json', body: value })),
  text.map((value) => ({ type: 'application/json', body: value })),
  fc.record({ title: text, completed: text, order: text }, { requiredKeys: [] }).map((values) => ({
    type: 'application/x-www-form-urlencoded', body: new URLSearchParams(values).toString().replaceAll('%uFFFD', '') })),
  fc.tuple(fc.constantFrom('text/plain', 'multipart/form-data; boundary=b',
    'application/merge-patch+json'), text).map(([type, value]) => ({ type, body: value }))));

function arbitrary(document) {
  const operations = document.operations();
  const frequent = operations.filter((each) => each.path.startsWith('/todos') && each.method !== 'delete');
  return fc.tuple(often(fc.constantFrom(...frequent), fc.constantFrom(...operations)),
    often(fc.constant(RECENT), fc.constantFrom('0', '1', '007', 'x', '9'.repeat(30), '-1')),
  often(fc.constant({}), query), headers, body, fc.constantFrom('', '', '', '.json', '.api', '.xml'))
    .map(([{ path, method, parameters: known }, id, values, sent, content, suffix]) => {
      const hasBody = ['post', 'put', 'patch'].includes(method);
      const parameters = new URLSearchParams(values).toString();
      const takesSuffix = known.some((each) => each.name === 'format');
      return { method: method.toUpperCase(),
        target: path.replace('{id}', () => id).replace('{name}', id === '007' ? 'app.js' : 'none') +
          (takesSuffix ? suffix : '') + (parameters ? `?${parameters}` : ''),
        headers: { ...sent, ...(hasBody ? { 'Content-Type': content.type } : {}) },
        body: hasBody ? content.body : '' };
    });
}

function checkAnswer(document, asked, answer) {
  const problem = document.problemOf(asked, answer);
  if (problem) throw new Error(`${asked.method} ${asked.target}: ${problem}: ${answer.body.slice(0, 200)}`);
}

let recent = '1';
async function checkRequests(document, count) {
  await fc.assert(fc.asyncProperty(arbitrary(document), async (asked) => {
    const answer = await ask({ ...asked, target: asked.target.replace(RECENT, recent),
      body: asked.body.replaceAll(`/todos/${RECENT}`, `/todos/${recent}`) });
    recent = answer.headers.get('Location')?.match(/\/todos\/(\d+)/)?.[1] ?? recent;
    if (answer.status >= 500) throw new Error(`${answer.status} ${answer.body}`);
    checkAnswer(document, asked, answer);
  }), { numRuns: count, ...(process.env.TEST_SEED ? { seed: Number(process.env.TEST_SEED) } : {}) });
}

// ---- what the integration tests were answered ----

// The suites that ask what the document tells of, and soon have it. Requests that they send as raw
// bytes are not told.
const SUITES = ['original', 'todobackend', 'contract_api', 'contract_input', 'conditions', 'idempotency', 'paging',
  'many', 'gzip', 'live', 'health'];

function runIntegrationTests(file) {
  execFileSync(join(dirname(process.env.TEST_APP), 'integration'),
    [process.env.MYSQL_HOST ? 'mysql' : 'sqlite', ...SUITES],
    { env: { ...process.env, TEST_EXCHANGES: file }, stdio: ['ignore', 'ignore', 'pipe'] });
}

// tests/integration/http_client.h says what a line is.
async function readExchanges(file) {
  const exchanges = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { method, target, status, head, body } = JSON.parse(line);
    if (target === ADMIN) continue;
    const headers = new Headers(head.split('\0').slice(1).map((each) => each.split(/: *(.*)/s, 2)));
    const bytes = Buffer.from(body, 'latin1');
    const isCoded = headers.get('Content-Encoding') === 'gzip' && bytes.length > 0;
    exchanges.push({ asked: { method, target },
      answer: { status, headers, body: String(isCoded ? gunzipSync(bytes) : bytes) } });
  }
  return exchanges;
}

function checkExchanges(document, exchanges) {
  for (const { asked, answer } of exchanges) checkAnswer(document, asked, answer);
}

// ---- planted errors ----

const planted = {
  'a wrong type': (copy) => { copy.components.schemas.Todo.properties.completed.type = 'string'; },
  'a missing member': (copy) => { delete copy.components.schemas.Todo.properties.order; },
  'a missing status': (copy) => { delete copy.paths['/todos/{id}'].get.responses[404]; },
  'a missing header': (copy) => { delete copy.paths['/todos'].post.responses[201].headers.Location; },
  'a missing media type': (copy) => {
    delete copy.components.responses.NotFound.content['application/problem+json'];
  },
};
const plantedInExchanges = {
  ...planted,
  'a missing status of a refusal': (copy) => { delete copy.paths['/todos'].patch.responses[405]; },
  'a missing status of a key': (copy) => { delete copy.paths['/todos'].post.responses[422]; },
  'a missing status of an Origin': (copy) => { delete copy.paths['/todos'].post.responses[403]; },
  'a missing status of a database that is away': (copy) => { delete copy.paths['/todos'].get.responses[503]; },
  'a missing header of a key': (copy) => {
    delete copy.paths['/todos'].post.responses[201].headers['Idempotent-Replayed'];
  },
  'a missing header of a wait': (copy) => {
    delete copy.paths['/todos'].get.responses[304].headers['Preference-Applied'];
  },
  'one todo in place of many': (copy) => {
    copy.paths['/todos'].patch.responses[200].content['application/json'].schema.$ref = '#/components/schemas/Todo';
  },
  'no index of what is missing': (copy) => { copy.components.schemas.Missing.anyOf.pop(); },
  'no index of what is wrong': (copy) => { copy.components.schemas.Invalid.anyOf.pop(); },
};
const plantedInTables = {
  'a missing route': (copy) => { delete copy.paths['/livez']; },
  'a route too many': (copy) => { copy.paths['/more'] = { get: { responses: {} } }; },
  'a missing method': (copy) => { delete copy.paths['/todos/{id}'].patch; },
  'a missing method that Allow does not name': (copy) => { delete copy.paths['/todos'].patch; },
  'a missing parameter': (copy) => {
    copy.paths['/todos'].get.parameters = copy.paths['/todos'].get.parameters.slice(1);
  },
  'a missing header': (copy) => { delete copy.paths['/todos'].post.parameters; },
  'a missing format': (copy) => { delete copy.paths['/'].parameters; },
  'a reference to nothing': (copy) => { delete copy.components.schemas.Todos; },
};

// Finds each of the changes to be errors.
async function checkChanges(where, changes, run) {
  for (const [name, change] of Object.entries(changes))
    await checkPlanted(`in the ${where}: ${name}`, () => {
      const copy = structuredClone(json);
      change(copy);
      return run(new Document(copy));
    });
}

const server = new Server();
await server.start({ CORS_ORIGINS: FRIEND });
const document = new Document(json);
await check('the document is what the program has', () => checkTables(document));
await check('the server gives the document', async () => {
  const answer = await ask({ method: 'GET', target: '/openapi.json', headers: {} });
  if (answer.body !== read('static/openapi.json')) throw new Error('another one');
});
await checkChanges('tables', plantedInTables, checkTables);
await check(`${requests} requests: no 5xx, and each answer as documented`, () => checkRequests(document, requests));
await checkChanges('answers', planted, (copy) => checkRequests(copy, Math.max(1000, requests / 5)));
await check('the server ends well', () => server.stop());
const file = join(server.folder, 'exchanges');
await check('the integration tests pass', () => runIntegrationTests(file));
const exchanges = await readExchanges(file);
await check(`${exchanges.length} answers to the integration tests are as documented`,
  () => checkExchanges(document, exchanges));
await checkChanges('integration tests', plantedInExchanges, (copy) => checkExchanges(copy, exchanges));
process.exit(summary());
