// The page's main path in another browser than Chromium: TEST_BROWSER is firefox or webkit.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from './server.js';
import { Browser } from './webdriver.js';

const server = new Server();
const browser = new Browser();
const ENTER = '\uE007';

const titles = () => browser.run('return [...document.querySelectorAll(".todo-list > li")].map((row) => row.innerText.trim())');
const sees = (...wanted) => until(titles, wanted);
const row = (number, part) => `.todo-list > li:nth-child(${number}) ${part}`;
const has = async (...wanted) => until(async () => (await server.list()).map(({ title, completed }) => (completed ? `${title}!` : title)), wanted);

async function open(...todos) {
  await server.fill(...todos);
  await browser.go(server.url);
  await sees(...todos.map((todo) => todo.title ?? todo));
}

before(async () => {
  await server.start();
  await browser.start(process.env.TEST_BROWSER);
});

after(async () => {
  await browser.end();
  await server.release();
});

test('a todo is added', async () => {
  await open();
  await browser.type('.new-todo', `write${ENTER}`);
  await browser.type('.new-todo', `post${ENTER}`);
  await sees('write', 'post');
  await has('write', 'post');
  await browser.reload();
  await sees('write', 'post');
});

test('a todo is completed', async () => {
  await open('a', 'b');
  await browser.click(row(2, '.toggle'));
  await has('a', 'b!');
  assert.equal(await browser.run('return document.querySelector(".todo-count").innerText'), '1 item left');
});

test('a title is edited', async () => {
  await open('a', 'b');
  await browser.clickTwice(row(1, '.name'));
  await browser.type(row(1, '.edit'), `lso${ENTER}`);
  await sees('also', 'b');
  await has('also', 'b');
});

test('a todo is deleted, and that is undone', async () => {
  await open({ title: 'a', order: 1 }, { title: 'b', order: 2 });
  await browser.click(row(1, '.destroy'));
  await sees('b');
  await has('b');
  await browser.click('.undo');
  await sees('a', 'b');
  await until(async () => (await server.list()).length, 2);
});

test('filters show what they say', async () => {
  await open('a', { title: 'b', completed: true });
  await browser.click('.filters a[href="#/active"]');
  await sees('a');
  await browser.click('.filters a[href="#/completed"]');
  await sees('b');
  await browser.reload();
  await sees('b');
});

test('a second window sees it, and the first what is done there', async () => {
  await open('a');
  const first = await browser.window();
  await browser.switchTo(await browser.newWindow());
  await browser.go(server.url);
  await sees('a');
  await browser.type('.new-todo', `b${ENTER}`);
  await has('a', 'b');
  await browser.switchTo(first);
  await sees('a', 'b');
});
