// A server of a test's own, in a folder of its own.
//
// TEST_APP is the program. With MYSQL_HOST (tests/mariadb sets it) the server keeps its todos there,
// else in SQLite.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import * as checks from '../check.js';

export class Server extends checks.Server {
  constructor(settings = {}) {
    super();
    this.settings = settings;
    this.port = 0;
  }

  // A second time, at the same port.
  async start() {
    await super.start({ ...this.settings, HTTP_PORT: String(this.port) });
    this.url = `http://127.0.0.1:${this.port}`;
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
