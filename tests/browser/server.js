// A server of a test's own, in a folder of its own.
//
// TEST_APP is the program. With MYSQL_HOST (tests/mariadb sets it) the server keeps its todos there,
// else in SQLite.

import assert from 'node:assert/strict';
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const app = resolve(process.env.TEST_APP ?? 'build/app');

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
