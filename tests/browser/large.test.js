// Two thousand todos, compared with a hundred: a machine's speed is in both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newContext, openPage, record, row, Server, server, tolerate, until } from './support.js';

const SIZES = [100, 2000];

async function fill(count, where = server) {
  await where.fill();
  for (let start = 0; start < count; start += 500) {
    const part = Array.from({ length: Math.min(500, count - start) }, (_, index) =>
      ({ title: `todo number ${start + index}`, completed: index % 3 === 0, order: start + index }));
    await where.ask('POST', '/todos', part);
  }
}

async function filled(count) {
  await fill(count);
  const page = await openPage({ reducedMotion: 'reduce' });
  await row(page, count).waitFor();
  return page;
}

// Milliseconds from a click to what it paints: the best of several, which other programs disturb least.
const toggle = (page) => page.evaluate(async () => {
  const times = [];
  for (let i = 0; i < 12; i++) {
    const start = performance.now();
    document.querySelectorAll('.toggle')[3 + i].click();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
    await new Promise((done) => setTimeout(done, 60));
  }
  return Math.min(...times);
});

async function markAll(page, count) {
  const all = record(page);
  const start = Date.now();
  await page.locator('.toggle-all').click();
  await until(async () => (await server.list()).filter(({ completed }) => completed).length, count);
  return { time: Date.now() - start, requests: all.length };
}

test('2,000 todos: a toggle takes little longer than among 100, mark all some requests', async (context) => {
  const found = [];
  for (const count of SIZES) {
    const page = await filled(count);
    found.push({ count, toggle: await toggle(page), markAll: await markAll(page, count) });
    await page.close();
  }
  context.diagnostic(JSON.stringify(found));
  const [few, many] = found;
  assert.ok(many.toggle < Math.max(50, 5 * few.toggle), 'a toggle: at most 50 ms, or 5 times as long as among 100');
  assert.equal(few.markAll.requests, 1);
  assert.ok(many.markAll.requests <= 4, 'arrays of 500');
  assert.ok(many.markAll.time < Math.max(1000, 20 * few.markAll.time), 'mark all: at most a second, or 20 times as long');
});

test('2,000 todos: an idle tab reads less than 100 kB an hour, and of two tabs one waits', async (context) => {
  const other = new Server({ WAIT_LIMIT: '1' }); // in place of 25 seconds
  await other.start();
  const browsers = await newContext();
  tolerate(/./); // it is another server than the one that is watched
  try {
    await fill(2000, other);
    const pages = [await browsers.newPage(), await browsers.newPage()];
    const reads = [];
    for (const page of pages) {
      const device = await browsers.newCDPSession(page);
      await device.send('Network.enable');
      const waiting = new Map();
      device.on('Network.requestWillBeSent', ({ requestId, request }) => request.headers.Prefer && waiting.set(requestId, request.headers.Prefer));
      device.on('Network.responseReceived', ({ requestId, response }) =>
        waiting.has(requestId) && reads.push({ page, status: response.status, size: response.encodedDataLength, wait: waiting.get(requestId) }));
      device.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => waiting.has(requestId) && (reads.at(-1).size = encodedDataLength));
      await page.goto(other.url);
      await row(page, 2000).waitFor();
    }
    await until(() => reads.length >= 4, true);
    assert.equal(new Set(reads.map(({ page }) => page)).size, 1, 'one tab waits');
    assert.deepEqual([...new Set(reads.map(({ status, wait }) => `${status} ${wait}`))], ['304 wait=25']);
    const hour = Math.max(...reads.map(({ size }) => size)) * (3600 / 25);
    context.diagnostic(`${Math.round(hour / 1000)} kB an hour`);
    assert.ok(hour > 0 && hour < 100000, `${hour} bytes`);
    await other.ask('POST', '/todos', { title: 'news' });
    await row(pages[0], 2001).waitFor({ timeout: 5000 });
    await row(pages[1], 2001).waitFor({ timeout: 5000 });
  } finally {
    await other.release();
  }
});
