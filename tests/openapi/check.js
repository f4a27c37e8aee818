import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { Document } from './document.js';

const root = new URL('../../', import.meta.url);
const read = (name) => readFileSync(new URL(name, root), 'utf8');
const json = JSON.parse(read('static/openapi.json'));
const requests = Number(process.env.TEST_REQUESTS);
let passed = 0;
let failed = 0;

async function check(name, run) {
  try {
    await run();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}

function same(what, wanted, got) {
  const missing = wanted.filter((each) => !got.includes(each));
  const more = got.filter((each) => !wanted.includes(each));
  if (missing.length > 0) throw new Error(`${what}: the document lacks ${missing.join(', ')}`);
  if (more.length > 0) throw new Error(`${what}: the program lacks ${more.join(', ')}`);
}

// ---- the program's tables ----

// The routes of the public port, each with its methods.
function routes() {
  const table = read('app/api/api.c').match(/http_route routes\[\] = \{([\s\S]*?)\n\};/)[1];
  const rows = [...table.matchAll(/\.pattern = "([^"]+)"[\s\S]*?\.methods = \{([\s\S]*?)\}\},/g)];
  return rows.filter(([, path]) => path !== '/metrics').flatMap(([, path, methods]) =>
    [...methods.matchAll(/HTTP_(\w+)/g)].map(([, method]) => `${method} ${path}`));
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
  same('routes', routes(), operations.map((each) => `${each.method.toUpperCase()} ${each.path}`));
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

class Server {
  async start() {
    this.folder = mkdtempSync(join(tmpdir(), 'openapi-'));
    const env = { ...process.env, LOG_FORMAT: 'json', HTTP_ADDRESS: '127.0.0.1', HTTP_PORT: '0',
      CORS_ORIGINS: FRIEND };
    if (env.MYSQL_HOST) execFileSync(env.TEST_APP, ['migrate'], { env, stdio: 'ignore' });
    this.process = spawn(env.TEST_APP, ['serve'],
      { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    process.on('exit', () => this.abandon());
    this.ended = new Promise((done) => this.process.on('exit', done));
    this.port = await new Promise((found, fail) => {
      createInterface({ input: this.process.stdout }).on('line', (line) => {
        const entry = JSON.parse(line);
        if (entry.message === 'ready') found(entry.port);
      });
      this.process.on('exit', (code) => fail(new Error(`the server ended with ${code}`)));
    });
    this.agent = new Agent({ keepAlive: true, maxSockets: 8 });
  }

  ask({ method, target, headers, body }) {
    return new Promise((done, fail) => {
      const sent = request({ port: this.port, host: '127.0.0.1', agent: this.agent, method,
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

  async stop() {
    this.agent.destroy();
    this.process.kill('SIGTERM');
    const code = await this.ended;
    rmSync(this.folder, { recursive: true });
    if (code !== 0) throw new Error(`the server ended with ${code}`);
  }

  // Leaves nothing behind, whatever ends this program.
  abandon() {
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

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
    .map(([{ path, method }, id, values, sent, content, suffix]) => {
      const hasBody = ['post', 'put', 'patch'].includes(method);
      const parameters = new URLSearchParams(values).toString();
      const takesSuffix = path === '/todos' || path === '/todos/{id}';
      return { path, method: method.toUpperCase(),
        target: path.replace('{id}', () => id).replace('{name}', id === '007' ? 'app.js' : 'none') +
          (takesSuffix ? suffix : '') + (parameters ? `?${parameters}` : ''),
        headers: { ...sent, ...(hasBody ? { 'Content-Type': content.type } : {}) },
        body: hasBody ? content.body : '' };
    });
}

let recent = '1';
async function checkAnswer(server, document, asked) {
  const answer = await server.ask({ ...asked, target: asked.target.replace(RECENT, recent),
    body: asked.body.replaceAll(`/todos/${RECENT}`, `/todos/${recent}`) });
  recent = answer.headers.get('Location')?.match(/\/todos\/(\d+)/)?.[1] ?? recent;
  if (answer.status >= 500) throw new Error(`${answer.status} ${answer.body}`);
  const problem = document.problemOf(asked.path, asked.method, answer);
  if (problem) throw new Error(`${problem}: ${answer.body.slice(0, 200)}`);
  if (!answer.headers.has('X-Request-Id')) throw new Error(`${answer.status} without an X-Request-Id`);
  return answer;
}

async function run(server, document, count) {
  await fc.assert(fc.asyncProperty(arbitrary(document), async (asked) => {
    await checkAnswer(server, document, asked);
  }),
    { numRuns: count, ...(process.env.TEST_SEED ? { seed: Number(process.env.TEST_SEED) } : {}) });
}

// ---- what random requests seldom meet ----

// Asks, and is answered with this status and this header.
async function step(server, document, status, header, method, headers = {}, value = undefined) {
  const answer = await checkAnswer(server, document, { path: '/todos', method, target: '/todos',
    headers: value === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
    body: value === undefined ? '' : JSON.stringify(value) });
  if (answer.status !== status || (header && !answer.headers.has(header)))
    throw new Error(`${method} got ${answer.status} ${JSON.stringify([...answer.headers])} ${answer.body}`);
  return answer;
}

async function walk(server, document) {
  const ask = (...asked) => step(server, document, ...asked);
  const key = { 'Idempotency-Key': randomUUID() };
  const problem = { Accept: 'application/problem+json, */*;q=0.5' };
  const [{ url }] = JSON.parse((await ask(201, '', 'POST', {}, [{ title: 'a' }, { title: 'b' }])).body);
  const missing = { url: '/todos/2147483646' };
  await ask(200, '', 'PATCH', {}, [{ url, completed: true }, { url, order: 1 }]);
  await ask(404, '', 'PATCH', {}, [{ url }, missing]);
  await ask(404, '', 'PATCH', problem, [{ url }, missing]);
  await ask(400, '', 'PATCH', {}, [{ url }, { url, title: 1 }, { url: 'x' }]);
  await ask(400, '', 'PATCH', problem, [{ url: 'x' }]);
  await ask(405, '', 'PATCH', {}, {});
  await ask(412, 'ETag', 'PATCH', { 'If-Match': '"x"' }, [{ url }]);
  await ask(201, 'Location', 'POST', key, { title: 'c' });
  await ask(201, 'Idempotent-Replayed', 'POST', key, { title: 'c' });
  await ask(422, '', 'POST', key, { title: 'd' });
  await ask(403, '', 'POST', { Origin: 'http://b.example' }, {});
  const etag = (await ask(200, 'ETag', 'GET')).headers.get('ETag');
  await ask(304, 'Preference-Applied', 'GET', { 'If-None-Match': etag, 'Prefer': 'wait=1' });
  await ask(200, 'Preference-Applied', 'GET', { 'If-None-Match': '"x"', 'Prefer': 'wait=1' });
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
const plantedInSteps = {
  'a missing status of a refusal': (copy) => { delete copy.paths['/todos'].patch.responses[405]; },
  'a missing status of a key': (copy) => { delete copy.paths['/todos'].post.responses[422]; },
  'a missing status of an Origin': (copy) => { delete copy.paths['/todos'].post.responses[403]; },
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
  'a reference to nothing': (copy) => { delete copy.components.schemas.Todos; },
};

function plant(change) {
  const copy = structuredClone(json);
  change(copy);
  return new Document(copy);
}

async function mustFail(work) {
  try {
    await work();
  } catch {
    return;
  }
  throw new Error('was not found');
}

const server = new Server();
await server.start();
const document = new Document(json);
await check('the document is what the program has', () => checkTables(document));
await check('the server gives the document', async () => {
  const answer = await server.ask({ method: 'GET', target: '/openapi.json', headers: {} });
  if (answer.body !== read('static/openapi.json')) throw new Error('another one');
});
for (const [name, change] of Object.entries(plantedInTables))
  await check(`planted in the tables: ${name}`, () => mustFail(() => checkTables(plant(change))));
await check('many at once, keys, origins and waits are as documented', () => walk(server, document));
for (const [name, change] of Object.entries(plantedInSteps))
  await check(`planted in the steps: ${name}`, () => mustFail(() => walk(server, plant(change))));
await check(`${requests} requests: no 5xx, and each answer as documented`, () => run(server, document, requests));
for (const [name, change] of Object.entries(planted))
  await check(`planted in the answers: ${name}`,
    () => mustFail(() => run(server, plant(change), Math.max(1000, requests / 5))));
await check('the server ends well', () => server.stop());
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
