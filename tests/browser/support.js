// What the tests share: a server, one browser, a fresh page.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { chromium } from 'playwright-core';
import { Server, until } from './server.js';

export { Server, until };

const CHROMIUM = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium-headless-shell';
const FLAGS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
];

export const server = new Server();
export let browser;
const contexts = [];
const complaints = [];
const BLOCKED = /^Service Worker registration blocked/;
let tolerated = null;

// Errors that a test brings about by itself.
export function tolerate(pattern) {
  tolerated = pattern;
}

function watch(page) {
  page.on('pageerror', (error) => tolerated?.test(error) || complaints.push(`error: ${error}`));
  page.on('console', (message) => {
    const text = message.text();
    if (!['error', 'warning'].includes(message.type()) || BLOCKED.test(text) || tolerated?.test(text)) return;
    complaints.push(`console: ${text} ${message.location().url}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${server.url}/`) && !tolerated?.test(url)) complaints.push(`request to another origin: ${url}`);
  });
}

// Without a service worker, but for a test that allows it: to install one costs as much as all else.
export async function newContext(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block', ...options });
  context.setDefaultTimeout(30000);
  context.on('page', watch);
  contexts.push(context);
  return context;
}

// The page of todos, once its list is there.
export async function open(context, path = '/') {
  const page = await context.newPage();
  const read = page.waitForResponse((response) => response.url().endsWith('/todos'));
  await page.goto(server.url + path);
  if (path === '/' || path.startsWith('/#')) await read;
  else read.catch(() => {});
  return page;
}

export const openPage = async (options, path) => open(await newContext(options), path);

export const titles = (page) => page.locator('.todo-list > li').allTextContents();
export const sees = (page, ...wanted) => until(() => titles(page), wanted);
export const row = (page, number) => page.locator('.todo-list > li').nth(number - 1);

// A page with these todos, which are there.
export async function filled(...todos) {
  await server.fill(...todos);
  const page = await openPage();
  await row(page, todos.length).waitFor();
  return page;
}

export const message = (page) => page.locator('[role=alert]').textContent();
export const field = (page) => page.locator('.new-todo');
export const focused = (page) => page.evaluate(() => document.activeElement.className);

export const properties = (list, ...names) =>
  list.map((todo) => Object.fromEntries(names.map((name) => [name, todo[name]])));

export async function add(page, ...texts) {
  for (const text of texts) {
    await field(page).fill(text);
    await field(page).press('Enter');
  }
}

// Waits until the service worker has all that it keeps.
export const isKept = (page) => page.evaluate(() => navigator.serviceWorker.ready.then(({ active }) => new Promise((done) => {
  if (active.state === 'activated') done();
  else active.addEventListener('statechange', () => active.state === 'activated' && done());
})));

// What the page sends from now on, but for reads.
export function record(page) {
  const sent = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push([request.method(), request.postDataJSON()]);
  });
  return sent;
}

// Requests of these methods fail, or get `answer` (which a function of the request may give), as
// long as the returned function isn't called.
export async function refuse(page, methods, answer) {
  tolerate(/Failed to load resource/);
  const handler = (route) => {
    if (!methods.includes(route.request().method())) return route.fallback();
    if (!answer) return route.abort();
    return route.fulfill(typeof answer === 'function' ? answer(route.request()) : answer);
  };
  await page.route('**/todos*', handler);
  await page.route('**/todos/*', handler);
  return async () => {
    await page.unroute('**/todos*', handler);
    await page.unroute('**/todos/*', handler);
  };
}

before(async () => {
  await server.start();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});

beforeEach(async () => {
  tolerated = null;
  complaints.length = 0;
  if (server.process.exitCode === null) await server.fill();
});

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  assert.deepEqual(complaints, [], 'the browser complained');
});

after(async () => {
  await browser?.close();
  await server.release();
});
