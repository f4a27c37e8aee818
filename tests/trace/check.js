'use strict';
// Each request goes to the server, and to one of Node's with the SDK's middleware, which answers it as
// the server did. Both tell one daemon, ours, which only listens.
const { deepStrictEqual } = require('node:assert');
const { execFileSync, execSync } = require('node:child_process');
const { createSocket } = require('node:dgram');
const { once } = require('node:events');
const { rmSync } = require('node:fs');
const http = require('node:http');
const { join } = require('node:path');
const { check, checkPlanted, summary, Server } = require('../check.js');

const env = process.env;
const version = JSON.parse(execFileSync(env.TEST_APP, ['version', '--json'])).version;
const server = new Server();
const database = join(server.folder, 'todos.sqlite3');

// Where we differ on purpose: `apply` makes of the SDK's segment what ours is to be, and says whether
// there was something to do. One that no row needs is an error.
const departures = [
  { name: 'no query in the URL', reason: 'it may hold what is nobody\'s business; the log has none, either',
    apply: ({ http: { request } }) => {
      const whole = request.url;
      request.url = whole.split('?')[0];
      return request.url !== whole;
    } },
  { name: 'no "aws"', reason: 'it names the SDK, the rule that sampled, and the machine: there are none',
    apply: (segment) => 'aws' in segment && delete segment.aws },
  { name: 'no "cause" of a failed trip', reason: 'it holds a stack of Node\'s; the log has our reason',
    apply: (segment) => (segment.subsegments ?? []).filter((trip) => 'cause' in trip && delete trip.cause).length > 0 },
];
const needed = new Set();

function depart(segment) {
  for (const departure of departures)
    if (departure.apply(segment)) needed.add(departure.name);
}

// What no two segments share is replaced, when it is what it must be.
function level(part, earliest, latest) {
  if (!/^[0-9a-f]{16}$/.test(part.id)) throw new Error(`an id is ${part.id}`);
  const { start_time: start, end_time: end } = part;
  // the SDK's times are in milliseconds
  if (!(typeof start === 'number' && typeof end === 'number' && earliest - 0.001 <= start && start <= end &&
        end <= latest + 0.001))
    throw new Error(`from ${start} to ${end}, within ${earliest} to ${latest}`);
  for (const trip of part.subsegments ?? []) level(trip, start, end);
  Object.assign(part, { id: 'ID', start_time: 0, end_time: 0 });
}

function compare(theirs, ours) {
  const now = Date.now() / 1000;
  const [wanted, got] = [theirs, ours].map((segment) => structuredClone(segment));
  depart(wanted);
  for (const segment of [wanted, got]) level(segment, now - 60, now);
  deepStrictEqual(got, wanted);
}

// ---- the daemon ----

class Daemon {
  async open() {
    this.waiting = [];
    this.come = [];
    this.socket = createSocket('udp4').bind(0, '127.0.0.1');
    this.socket.on('message', (message) => {
      const line = message.indexOf('\n');
      this.come.push({ header: String(message.subarray(0, line)), segment: String(message.subarray(line + 1)) });
      this.socket.emit('segment');
    });
    await once(this.socket, 'listening');
    this.address = `127.0.0.1:${this.socket.address().port}`;
  }

  async next() {
    const signal = AbortSignal.timeout(10000);
    while (this.come.length === 0) await once(this.socket, 'segment', { signal });
    const { header, segment } = this.come.shift();
    deepStrictEqual(JSON.parse(header), { format: 'json', version: 1 });
    return JSON.parse(segment);
  }
}

// ---- the two servers ----

function ask(port, { method, target, headers, body }) {
  return new Promise((done, fail) => {
    const length = body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {};
    const sent = http.request({ host: '127.0.0.1', port, method, path: target, agent: false,
      headers: { host: 'todo.example', 'user-agent': 'curl/8', ...headers, ...length } }, (answer) => {
      let size = 0;
      answer.on('data', (part) => { size += part.length; });
      answer.on('end', () => done({ status: answer.statusCode, size }));
    });
    sent.on('error', fail);
    sent.end(body);
  });
}

// A program in Node.js that the SDK's manual would make of ours.
class Reference {
  async start(daemon) {
    env.AWS_XRAY_DAEMON_ADDRESS = daemon.address;
    const sdk = require('aws-xray-sdk-core');
    sdk.middleware.disableCentralizedSampling(); // which asks AWS for rules
    sdk.middleware.setDefaultName('todobackend');
    this.server = http.createServer((request, response) => {
      const segment = sdk.middleware.traceRequestResponseCycle(request, response);
      segment.setServiceData({ version });
      if (this.trip) this.tell(segment);
      // where the SDK looks for the length: Node.js itself keeps it elsewhere
      response.headers = { 'content-length': String(this.answer.size) };
      response.writeHead(this.answer.status).end();
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
  }

  // As the SDK's module for MySQL does.
  tell(segment) {
    const { MYSQL_HOST: host, MYSQL_PORT: port, MYSQL_USER: user, MYSQL_DATABASE: name } = env;
    const trip = segment.addNewSubsegment(host ? `${name}@${host}` : 'sqlite');
    trip.namespace = 'remote';
    trip.addSqlData({ url: host ? `${host}:${port}/${name}` : database,
      database_type: host ? 'MySQL' : 'SQLite', ...(host ? { user } : {}),
      ...(this.trip.statement ? { sanitized_query: this.trip.statement } : {}) });
    trip.close(this.trip.hasFailed ? new Error('it failed') : undefined);
  }
}

// ---- the rows ----

const PARENT = { 'x-amzn-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1' };
const FORWARDED = { ...PARENT, 'x-forwarded-for': '198.51.100.7' };
const order = env.MYSQL_HOST ? '`order`' : '"order"';
const LIST = `SELECT id, title, completed, ${order}, url FROM todo_todoitem ORDER BY id`;
const INSERT = env.MYSQL_HOST
  ? 'INSERT INTO todo_todoitem (title, completed, `order`, url) VALUES (?,?,?,?)'
  : 'INSERT INTO todo_todoitem (title, completed, "order") VALUES (?2, ?3, ?4)';

const rows = [
  { name: 'a list', target: '/todos', status: 200, trip: { statement: LIST } },
  { name: 'by a proxy', target: '/todos', headers: FORWARDED, status: 200, trip: { statement: LIST } },
  { name: 'no parent', target: '/todos', status: 200, trip: { statement: LIST },
    headers: { 'x-amzn-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1' } },
  { name: 'with a query', target: '/todos?limit=5', status: 200, trip: {} },
  { name: 'a create', method: 'POST', target: '/todos', body: '{"title":"a"}', status: 201,
    trip: { statement: INSERT } },
  { name: 'no such path', target: '/no/such', status: 404 },
  { name: 'a bad body', method: 'POST', target: '/todos', body: '{', status: 400 },
  { name: 'no database', target: '/todos', status: 503, headers: FORWARDED,
    trip: { statement: LIST, hasFailed: true },
    before: () => env.MYSQL_HOST ? execSync(env.TEST_MYSQL_KILL, { stdio: 'ignore' }) : rmSync(database) },
];

const planted = {
  'another name': (segment) => { segment.name = 'todo'; },
  'another trace': (segment) => { segment.trace_id = segment.trace_id.replace('5', '6'); },
  'no parent': (segment) => { delete segment.parent_id; },
  'an id that is too short': (segment) => { segment.id = segment.id.slice(1); },
  'a time in milliseconds': (segment) => { segment.start_time *= 1000; },
  'a time as text': (segment) => { segment.end_time = String(segment.end_time); },
  'a trip that lasts too long': (segment) => { segment.subsegments[0].end_time += 1; },
  'the status as text': (segment) => { segment.http.response.status = String(segment.http.response.status); },
  'another length': (segment) => { segment.http.response.content_length++; },
  'the proxy\'s address': (segment) => { segment.http.request.client_ip = '127.0.0.1'; },
  'no flag': (segment) => { delete segment.fault; },
  'a flag too many': (segment) => { segment.error = true; },
  'a trip that has not failed': (segment) => { delete segment.subsegments[0].fault; },
  'no statement': (segment) => { delete segment.subsegments[0].sql.sanitized_query; },
  'a member too many': (segment) => { segment.http.request.query = ''; },
};

async function main() {
  const daemon = new Daemon();
  const reference = new Reference();
  let pair;

  async function tell({ method = 'GET', target, headers = PARENT, body, status, trip, before }) {
    before?.();
    const asked = { method, target, headers, body };
    const answer = await ask(server.port, asked);
    deepStrictEqual(answer.status, status);
    const ours = await daemon.next();
    Object.assign(reference, { answer, trip });
    await ask(reference.port, asked);
    return [await daemon.next(), ours];
  }

  await daemon.open();
  await server.start({ LOG_LEVEL: 'info', TRUSTED_PROXIES: '127.0.0.1', SQLITE_PATH: database,
    AWS_XRAY_DAEMON_ADDRESS: daemon.address });
  await reference.start(daemon);
  for (const row of rows)
    await check(row.name, async () => {
      pair = await tell(row);
      compare(...pair);
    });
  for (const [name, change] of Object.entries(planted))
    await checkPlanted(name, () => {
      const changed = structuredClone(pair[1]);
      change(changed);
      compare(pair[0], changed);
    });
  for (const { name, reason } of departures)
    await check(`departure: ${name} (${reason})`, () => {
      if (!needed.has(name)) throw new Error('nothing needs it');
    });
  await check('the server ends well', () => server.stop());
  return summary();
}

main().catch((error) => {
  console.log(error);
  return 1;
}).then((status) => process.exit(status));
