// What the tests share: a server of their own in a folder of its own, one browser, a fresh page.
//
// TEST_APP is the program. With MYSQL_HOST (tests/mariadb sets it) the server keeps its todos there,
// else in SQLite.

import assert from 'node:assert/strict';
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach } from 'node:test';
import { chromium } from 'playwright-core';

const app = resolve(process.env.TEST_APP ?? 'build/app');
const CHROMIUM = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium-headless-shell';
const FLAGS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
];

export class Server {
  constructor(settings = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'browser-'));
    this.settings = settings;
    this.port = 0;
  }

  async start() {
    const env = {
      ...process.env, LOG_FORMAT: 'json', HTTP_ADDRESS: '127.0.0.1', ...this.settings,
      HTTP_PORT: String(this.port),
    };
    if (env.MYSQL_HOST) execFileSync(app, ['migrate'], { env, stdio: 'ignore' });
    this.process = spawn(app, ['serve'], {
      cwd: this.folder, env, stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.ended = new Promise((done) => this.process.on('exit', done));
    const lines = createInterface({ input: this.process.stdout });
    this.port = await new Promise((found, fail) => {
      lines.on('line', (line) => {
        const entry = JSON.parse(line);
        if (entry.message === 'ready') found(entry.port);
      });
      this.process.on('exit', (code) => fail(new Error(`the server ended with ${code}`)));
    });
    this.url = `http://127.0.0.1:${this.port}`;
  }

  async stop() {
    this.process.kill('SIGTERM');
    await this.ended;
  }

  async release() {
    if (this.process.exitCode === null) await this.stop();
    rmSync(this.folder, { recursive: true });
  }

  async ask(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      headers: body && { 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return text && JSON.parse(text);
  }

  list() {
    return this.ask('GET', '/todos');
  }

  // Titles, or objects; all that was there before goes.
  async fill(...todos) {
    await this.ask('DELETE', '/todos');
    for (const todo of todos)
      await this.ask('POST', '/todos', typeof todo === 'string' ? { title: todo } : todo);
  }
}

export const server = new Server();
export let browser;
const contexts = [];
const complaints = [];
let tolerated = null;

// Errors that a test brings about by itself.
export function tolerate(pattern) {
  tolerated = pattern;
}

function watch(page) {
  page.on('pageerror', (error) => tolerated?.test(error) || complaints.push(`error: ${error}`));
  page.on('console', (message) => {
    const text = message.text();
    if (!['error', 'warning'].includes(message.type()) || tolerated?.test(text)) return;
    complaints.push(`console: ${text} ${message.location().url}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${server.url}/`) && !tolerated?.test(url)) complaints.push(`request to another origin: ${url}`);
  });
}

export async function newContext(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
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

// Waits until it is so.
export async function until(check, wanted, what) {
  const end = Date.now() + 30000;
  let last;
  for (;;) {
    last = await check();
    try {
      assert.deepEqual(last, wanted, what);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((done) => setTimeout(done, 40));
  }
}

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
