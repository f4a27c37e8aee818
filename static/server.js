// The API. A todo is known by the path of its url: the page may be reached under other names.

const LIST = '/todos';
const PATIENCE = 15000; // milliseconds that an answer may take

// Why a request failed: `status` is 0 when no answer came.
export class Failure extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }

  get isAway() {
    return this.status === 0 || this.status === 503 || this.status === 502 || this.status === 504;
  }
}

// {"detail": "..."} or {"title": ["...", ...]}
function reason(text) {
  try {
    return Object.values(JSON.parse(text)).flat().join(' ');
  } catch {
    return '';
  }
}

// No more at once than a browser has connections for: the rest waits here, where waiting is free.
let free = 6;
const waiting = [];

// Whether there is so much to do that it would be lost with the page.
export const isWaiting = () => waiting.length > 0;

async function takeTurn() {
  if (free === 0) await new Promise((go) => waiting.push(go));
  else free--;
}

function giveTurn() {
  const go = waiting.shift();
  if (go) go();
  else free++;
}

async function ask(method, path, body) {
  let response, text;
  const json = body && JSON.stringify(body);
  await takeTurn();
  try {
    response = await fetch(path, {
      method,
      headers: { Accept: 'application/json', ...(body && { 'Content-Type': 'application/json' }) },
      body: json,
      cache: 'no-cache',
      // a change outlives its page; browsers take at most 64 KiB for all of these together
      keepalive: method !== 'GET' && (json ?? '').length < 8192,
      signal: AbortSignal.timeout(PATIENCE),
    });
    text = await response.text();
  } catch (error) {
    throw new Failure(0, String(error));
  } finally {
    giveTurn();
  }
  if (!response.ok) throw new Failure(response.status, reason(text));
  return text;
}

// What came last, so that a list that has not changed costs no more than its transfer.
let lastText;
let lastList;

export async function readList() {
  const text = await ask('GET', LIST);
  if (text !== lastText) {
    lastList = JSON.parse(text);
    lastText = text;
  }
  return lastList;
}

export const create = async (todo) => JSON.parse(await ask('POST', LIST, todo));
export const update = async (key, change) => JSON.parse(await ask('PATCH', key, change));
export const remove = (key) => ask('DELETE', key);
export const keyOf = (todo) => new URL(todo.url, location.href).pathname;
export const numberOf = (key) => Number(key.slice(key.lastIndexOf('/') + 1));
