// What the server has not acknowledged: it waits, is kept, and is sent once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add, field, filled, message, newContext, open, openPage, properties, record, refuse, row, sees,
  server, tolerate, until,
} from './support.js';

const ALL = ['GET', 'POST', 'PATCH', 'DELETE'];
const WRITES = ['POST', 'PATCH', 'DELETE'];
const AWAY = 'The server can’t be reached.';

const inOrder = async () => properties(
  (await server.list()).sort((a, b) => (a.order ?? Infinity) - (b.order ?? Infinity)), 'title', 'completed');

// Three changes while the server is away.
async function changeAll(page) {
  await add(page, 'precious');
  await row(page, 1).locator('.toggle').click();
  await row(page, 2).locator('.name').focus();
  await page.keyboard.press('Delete');
  await until(() => message(page), `${AWAY} 3 changes wait for the server.`);
  await sees(page, 'a', 'precious');
}

const WANTED = [{ title: 'a', completed: true }, { title: 'precious', completed: false }];

test('the server goes and comes back: changes wait, are counted, and are sent by themselves', async () => {
  const page = await filled({ title: 'a', order: 1 }, { title: 'b', order: 2 });
  tolerate(/Failed to load resource/);
  await server.stop();
  await changeAll(page);
  assert.equal(await row(page, 1).locator('.toggle').isChecked(), true);
  assert.equal(await page.locator('.waits').count(), 2);
  await server.start();
  await until(() => message(page), '');
  await until(inOrder, WANTED);
  assert.equal(await page.locator('.waits').count(), 0);
});

test('what waits outlives a reload, which asks first', async () => {
  const page = await filled({ title: 'a', order: 1 }, { title: 'b', order: 2 });
  const restore = await refuse(page, WRITES);
  await changeAll(page);
  const types = [];
  page.on('dialog', (dialog) => {
    types.push(dialog.type());
    return types.length === 1 ? dialog.dismiss() : dialog.accept();
  });
  await page.evaluate(() => void setTimeout(() => location.reload()));
  await until(() => types, ['beforeunload']);
  await sees(page, 'a', 'precious');
  await page.reload();
  assert.deepEqual(types, ['beforeunload', 'beforeunload']);
  await sees(page, 'a', 'precious');
  await until(() => message(page), `${AWAY} 3 changes wait for the server.`);
  await restore();
  await until(inOrder, WANTED);
  await until(() => message(page), '');
  await page.reload();
  await sees(page, 'a', 'precious');
  assert.equal(types.length, 2, 'it asks no more');
});

test('what was not sent yet, behind a slow request of the same todo, is sent after a reload', async () => {
  const page = await openPage();
  const reach = await refuse(page, ['POST']);
  await add(page, 'a');
  await row(page, 1).locator('.toggle').click();
  page.on('dialog', (dialog) => dialog.accept());
  await page.reload();
  await sees(page, 'a');
  await reach();
  await until(inOrder, [{ title: 'a', completed: true }]);
});

test('each new todo has a key of its own, the same however often it is sent', async () => {
  const page = await openPage();
  const keys = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') keys.push(request.headers()['idempotency-key']);
  });
  const restore = await refuse(page, ['POST']);
  await add(page, 'a', 'b');
  await until(() => keys.length >= 2, true);
  page.on('dialog', (dialog) => dialog.accept());
  await page.reload();
  await until(() => keys.length >= 4, true);
  await restore();
  await until(inOrder, [{ title: 'a', completed: false }, { title: 'b', completed: false }]);
  await until(async () => (await server.list()).length, 2); // the page shows what it has yet to send
  assert.equal(new Set(keys).size, 2);
  for (const key of keys) assert.match(key, /^"[0-9a-f]{32}"$/);
});

test('a todo whose answer was lost is there once, and so is one that was sent again after a reload', async () => {
  const page = await openPage();
  tolerate(/Failed to load resource/);
  let lost = 0;
  await page.route('**/todos', async (route) => {
    if (route.request().method() !== 'POST' || lost >= 4) return route.fallback();
    await route.fetch(); // the server has done its work
    lost++;
    return route.abort();
  });
  await add(page, 'pay the rent', 'pay the rent');
  await until(() => lost >= 2, true);
  page.on('dialog', (dialog) => dialog.accept());
  await page.reload();
  await until(() => lost >= 4, true);
  await until(() => message(page), '');
  await sees(page, 'pay the rent', 'pay the rent');
  assert.deepEqual((await server.list()).map(({ title }) => title), ['pay the rent', 'pay the rent']);
});

test('todos typed quickly while the server is away come in their order', async () => {
  const page = await openPage();
  const restore = await refuse(page, ALL);
  const texts = ['one', 'two', 'three', 'four', 'five'];
  for (const text of texts) {
    await field(page).pressSequentially(text);
    await field(page).press('Enter');
    assert.equal(await field(page).inputValue(), '');
  }
  await sees(page, ...texts);
  await restore();
  await until(async () => (await server.list()).map(({ title }) => title), texts);
});

test('“Try again” sends at once', async () => {
  const page = await filled('a');
  const all = record(page);
  await refuse(page, ALL);
  await row(page, 1).locator('.toggle').click();
  await page.getByRole('button', { name: 'Try again' }).click();
  await until(() => all.length, 2);
});

test('a todo typed before the list has come stands at its end', async () => {
  await server.fill({ title: 'a', order: 1 }, { title: 'b', order: 5000 });
  const context = await newContext();
  let release;
  const held = new Promise((done) => { release = done; });
  await context.route('**/todos', async (route) => {
    if (route.request().method() === 'GET') await held;
    await route.fallback();
  });
  const page = await context.newPage();
  await page.goto(server.url);
  assert.equal(await page.locator('main').getAttribute('aria-busy'), 'true');
  await page.locator('.loading').waitFor();
  assert.equal(await page.locator('.nothing').isVisible(), false);
  await add(page, 'c');
  await sees(page, 'c');
  release();
  await sees(page, 'a', 'b', 'c');
  assert.equal(await page.locator('main').getAttribute('aria-busy'), 'false');
  await until(async () => (await inOrder()).map(({ title }) => title), ['a', 'b', 'c']);
});

test('a list that was read while a todo was being added does not show it twice', async () => {
  const page = await openPage();
  await page.route('**/todos', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    const response = await route.fetch();
    await page.evaluate(() => void dispatchEvent(new Event('focus')));
    await new Promise((done) => setTimeout(done, 500));
    return route.fulfill({ response });
  });
  const counts = [];
  await page.exposeFunction('counted', (count) => counts.push(count));
  await page.evaluate(() => new MutationObserver(() => window.counted(document.querySelectorAll('.todo-list > li').length))
    .observe(document.querySelector('.todo-list'), { childList: true }));
  const read = page.waitForResponse((response) => response.request().method() === 'GET');
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  await add(page, 'a');
  await (await read).finished();
  await (await answered).finished();
  await sees(page, 'a');
  assert.equal(Math.max(...counts), 1);
});

test('opened while the server has no list: a message, and the list when it is back', async () => {
  await server.fill('a');
  tolerate(/Failed to load resource/);
  const context = await newContext();
  let isAway = true;
  await context.route('**/todos', (route) =>
    isAway ? route.fulfill({ status: 503, contentType: 'application/json', body: '{"detail":"The database is not available."}' }) : route.fallback());
  const page = await open(context);
  await until(() => message(page), 'The list could not be read. The database is not available.');
  isAway = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await sees(page, 'a');
  await until(() => message(page), '');
});

test('what waits outlives its tab: the next page sends it, once, and not while the tab lives', async () => {
  await server.fill('a');
  const context = await newContext();
  const page = await open(context);
  await sees(page, 'a');
  const restore = await refuse(page, WRITES);
  await add(page, 'precious');
  await row(page, 1).locator('.toggle').click();
  await until(() => message(page), `${AWAY} 2 changes wait for the server.`);
  const other = await open(context);
  await sees(other, 'a');
  assert.equal((await server.list()).length, 1);
  await page.close();
  await sees(await open(context), 'a', 'precious');
  await until(inOrder, [{ title: 'a', completed: true }, { title: 'precious', completed: false }]);
  await sees(await open(context), 'a', 'precious');
  assert.equal((await server.list()).length, 2);
  assert.equal(await other.evaluate(() => localStorage.length), 0);
});

test('leaving asks where something was typed that nobody has', async () => {
  const page = await filled('a');
  let asked = 0;
  page.on('dialog', (dialog) => {
    asked++;
    return dialog.accept();
  });
  await field(page).pressSequentially('half');
  await page.reload();
  await sees(page, 'a');
  assert.equal(asked, 1);
  await row(page, 1).locator('label').dblclick();
  await page.reload();
  await sees(page, 'a');
  assert.equal(asked, 1, 'nothing was typed');
  await row(page, 1).locator('label').dblclick();
  await page.keyboard.type('bc');
  await page.reload();
  assert.equal(asked, 2);
});

test('where the browser keeps nothing, changes wait as long as the page lives', async () => {
  await server.fill('a');
  const context = await newContext();
  await context.addInitScript(() => {
    for (const name of ['sessionStorage', 'localStorage'])
      Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });
  });
  const page = await open(context);
  await sees(page, 'a');
  const restore = await refuse(page, ALL);
  await row(page, 1).locator('.toggle').click();
  await until(() => message(page), `${AWAY} 1 change waits for the server.`);
  await restore();
  await until(async () => (await server.list())[0].completed, true);
});
