// The API. A todo is known by the path of its url: the page may be reached under other names.

const LIST = '/todos';
const PATIENCE = 15000; // milliseconds that an answer may take
const WAIT = 25; // seconds that the server may hold back the answer that there is no news
const AWAY = [0, 408, 409, 429, 502, 503, 504]; // 409: the same is still being worked on

// Why a request failed: `status` is 0 when no answer of the API came, but none or nonsense.
export class Failure extends Error {
  constructor(status, why, isNonsense = false) {
    super(why);
    this.status = status;
    this.isNonsense = isNonsense;
    this.current = null; // the todo, where others have changed it
  }

  // Whether the same request may succeed later.
  get isAway() {
    return AWAY.includes(this.status);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/* ---- what is an answer of the API, and not of a proxy or its login page, with any status ---- */

const KEY = /\/todos\/\d+(?=\?|$)/;

const isTodo = (value) =>
  typeof value?.url === 'string' &&
  KEY.test(value.url) &&
  (value.title === null || typeof value.title === 'string') &&
  typeof value.completed === 'boolean' &&
  (value.order === null || Number.isInteger(value.order));

const isList = (value) => Array.isArray(value) && value.every(isTodo);

// The API never asks who is there; and only its own 404 means that a todo was deleted.
function isRefusal(status, value) {
  if (status === 401 || status === 403) return false;
  return status !== 404 || typeof value?.detail === 'string';
}

const nonsense = (text) => new Failure(0, text, true);

function read(text, isRight) {
  const value = parse(text);
  if (!isRight(value)) throw nonsense(text);
  return value;
}

// {"detail": "..."} or {"title": ["...", ...]}
function refusal(status, text) {
  const value = parse(text);
  if (!isRefusal(status, value)) return nonsense(text);
  return new Failure(status, Object.values(value ?? {}).flat().join(' '));
}

/* ---- requests ---- */

async function ask(method, path, headers = {}, json, patience = PATIENCE) {
  let response, text;
  try {
    response = await fetch(path, {
      method,
      headers: { Accept: 'application/json', ...(json && { 'Content-Type': 'application/json' }), ...headers },
      body: json,
      cache: 'no-store', // what is known has its ETag here
      redirect: 'manual', // the API has none; a login page has, maybe to where fetch may not go
      // a change outlives its page; browsers take at most 64 KiB for all of these together
      keepalive: method !== 'GET' && (json ?? '').length < 8192,
      signal: AbortSignal.timeout(patience),
    });
    text = await response.text();
  } catch (error) {
    throw new Failure(0, String(error));
  }
  const etag = response.headers.get('ETag');
  if (response.status === 304) return { etag, text: null };
  if (response.type === 'opaqueredirect') throw nonsense(text);
  if (!response.ok) throw refusal(response.status, text);
  if (method === 'DELETE' && response.status !== 204) throw nonsense(text);
  return { etag, text };
}

// What came last: of a list that has not changed, nothing is sent again.
let lastList;
let lastTag = null;

// `waits`: as soon as there is another list than the last one, or after a while (RFC 7240, 4.3).
export async function readList(waits = false) {
  const headers = { ...(lastTag && { 'If-None-Match': lastTag }), ...(waits && { Prefer: `wait=${WAIT}` }) };
  const { etag, text } = await ask('GET', LIST, headers, undefined, waits ? PATIENCE + WAIT * 1000 : PATIENCE);
  if (text !== null) lastList = read(text, isList);
  lastTag = etag;
  return lastList;
}

export const keyOf = (todo) => KEY.exec(todo.url)[0];
export const numberOf = (key) => Number(key.slice(key.lastIndexOf('/') + 1));

const patch = async (key, body, headers) => {
  const { text } = await ask('PATCH', key, headers, JSON.stringify(body));
  return read(text, (value) => isTodo(value) && keyOf(value) === key);
};

// A title is changed only if it is still the one that was seen when it began to be edited.
async function retitle(key, body, from) {
  for (;;) {
    const { etag, text } = await ask('GET', key);
    const current = read(text, isTodo);
    const title = current.title ?? '';
    if (title !== from && title !== body.title) throw Object.assign(new Failure(412, ''), { current });
    try {
      return await patch(key, body, { 'If-Match': etag });
    } catch (failure) {
      if (failure.status !== 412) throw failure; // else somebody was faster
    }
  }
}

// Many at once, all or none.
async function sendMany(method, headers, bodies) {
  const { text } = await ask(method, LIST, headers, JSON.stringify(bodies));
  return read(text, (value) => isList(value) && value.length === bodies.length);
}

async function sendOne({ id, method, changes: [{ key, body, from }] }) {
  if (method === 'DELETE') {
    await ask('DELETE', key);
    return null;
  }
  if (method === 'PATCH') return from === undefined ? patch(key, body) : retitle(key, body, from);
  const { text } = await ask('POST', LIST, { 'Idempotency-Key': `"${id}"` }, JSON.stringify(body));
  return read(text, isTodo);
}

// Carries out a change of the outbox; gives what the server has of each of its todos now.
export async function send(change) {
  const { id, method, changes } = change;
  if (changes.length === 1) return [await sendOne(change)];
  if (method === 'POST') return sendMany('POST', { 'Idempotency-Key': `"${id}"` }, changes.map(({ body }) => body));
  const saved = await sendMany('PATCH', {}, changes.map(({ key, body }) => ({ url: key, ...body })));
  const byKey = new Map(saved.map((todo) => [keyOf(todo), todo]));
  return changes.map(({ key }) => byKey.get(key));
}
