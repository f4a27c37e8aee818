// What the server has not acknowledged. It is sent again until the server says yes or no, and
// outlives a reload of the page; where the page opens offline, its end, too. A change sent twice is
// carried out once: a POST has a key that the server knows it by, and PATCH and DELETE come to the same.
//
// A change is { id, method, changes: [{ key, body, from }] }, many of them if they are to be made at
// once; and all of one todo go in their order.

import { send } from './server.js';

const KEPT = 'todos.outbox';
const OWN = `${KEPT} ${makeId()}`;
const AT_ONCE = 4; // a browser has six connections for one server; reads want some of them

const running = new Set();
let store; // [storage, name]
let waiting = await load();
let failure = null; // why the last one that was tried is still here
let listener;

// Each page keeps its own, and while it lives, a lock of the same name: what has none is left over, and
// goes on here. So does what this tab's page before had, whose lock may still be there.
async function takeOver() {
  const { held } = await navigator.locks.query();
  navigator.locks.request(OWN, () => new Promise(() => {}));
  const lives = (name) => name !== sessionStorage.getItem(KEPT) && held.some((lock) => lock.name === name);
  const left = Object.keys(localStorage).filter((name) => name.startsWith(KEPT) && !lives(name));
  const found = left.flatMap((name) => JSON.parse(localStorage.getItem(name)));
  store = [localStorage, OWN];
  keepAs(found);
  for (const name of left) localStorage.removeItem(name);
  sessionStorage.setItem(KEPT, OWN);
  return found;
}

async function load() {
  try {
    return await takeOver();
  } catch {
    // over plain http there are no locks, and nothing opens offline
  }
  try {
    store = [sessionStorage, KEPT];
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return []; // the browser may keep nothing, where cookies are blocked
  }
}

function keepAs(changes) {
  const [storage, name] = store;
  if (changes.length > 0) storage.setItem(name, JSON.stringify(changes));
  else storage.removeItem(name);
}

function save() {
  try {
    keepAs(waiting);
  } catch {
    // then it lives as long as the page
  }
}

// Not crypto.randomUUID, which is for https alone.
function makeId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const all = () => waiting;
export const isRunning = (change) => running.has(change);
export const isIdle = () => running.size === 0;
export const reason = () => failure;

// All that are added go one after the other, so that they get their numbers in that order.
const lanes = ({ method, changes }) => (method === 'POST' ? ['add'] : []).concat(changes.map(({ key }) => key));

function finish(change) {
  waiting = waiting.filter((other) => other !== change);
  save();
}

// What can't be made at once may be made one by one, but for those that are in the way.
function split(change) {
  const parts = change.changes.map((part) => ({ id: makeId(), method: change.method, changes: [part] }));
  waiting = waiting.flatMap((other) => (other === change ? parts : [other]));
  save();
}

async function run(change) {
  running.add(change);
  try {
    const saved = await send(change);
    failure = null;
    finish(change);
    listener.acknowledged(change, saved);
  } catch (error) {
    const isDone = change.method === 'DELETE' && error.status === 404;
    if (error.isAway && !isDone) {
      failure = error;
    } else if (change.changes.length > 1) {
      split(change);
    } else {
      finish(change);
      if (isDone) listener.acknowledged(change, []);
      else listener.refused(change, error);
    }
  }
  running.delete(change);
  if (!failure) pump();
  listener.changed();
}

// Sends what can be sent now.
function pump() {
  const taken = new Set();
  for (const change of waiting) {
    const its = lanes(change);
    const isFree = its.every((lane) => !taken.has(lane));
    for (const lane of its) taken.add(lane);
    if (isFree && !running.has(change) && running.size < AT_ONCE && listener.maySend(change)) run(change);
  }
}

export function put(method, changes) {
  const change = { id: makeId(), method, changes };
  waiting.push(change);
  save();
  if (!failure) pump();
  listener.changed();
  return change;
}

// Tries again what could not be sent.
export function retry() {
  if (isIdle()) pump();
}

// What can't be done any more, since there is no such todo.
export function drop(key) {
  waiting = waiting.filter(({ changes }) => !changes.some((change) => change.key === key));
  save();
}

// The todo that was known as `from` has its number now; keep() is still to be called.
export function rename(from, to) {
  for (const { changes } of waiting)
    for (const change of changes) if (change.key === from) change.key = to;
}

// After a change of what is waiting.
export const keep = save;

export function discard() {
  waiting = waiting.filter((change) => running.has(change));
  failure = null;
  save();
  listener.changed();
}

// `given`: acknowledged(change, saved), refused(change, failure), changed(), maySend(change).
export function start(given) {
  listener = given;
  pump();
}
