'use strict';
// What checks against the server of TEST_APP share: they are counted, and the server is their own.
const { deepStrictEqual } = require('node:assert');
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

let passed = 0;
let failed = 0;

const check = exports.check = async (name, run) => {
  try {
    await run();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
};

// That `run` finds what is wrong in what it gets.
exports.checkPlanted = (name, run) => check(`planted: ${name}`, async () => {
  try {
    await run();
  } catch {
    return;
  }
  throw new Error('was not found');
});

// Says how many, and gives the exit status.
exports.summary = () => {
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
};

// Its folder is there before its start. Nothing is left behind, whatever ends this program.
exports.Server = class {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'checked-'));
    process.on('exit', () => {
      this.process?.kill('SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  async start(settings) {
    const app = process.env.TEST_APP;
    const env = { ...process.env, LOG_FORMAT: 'json', HTTP_ADDRESS: '127.0.0.1', HTTP_PORT: '0', ...settings };
    if (env.MYSQL_HOST) execFileSync(app, ['migrate'], { env, stdio: 'ignore' });
    this.process = spawn(app, ['serve'], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.ended = once(this.process, 'exit');
    this.port = await new Promise((found, fail) => {
      createInterface({ input: this.process.stdout }).on('line', (line) => {
        const entry = JSON.parse(line);
        if (entry.message === 'ready') found(entry.port);
      });
      this.ended.then(([code]) => fail(new Error(`the server ended with ${code}`)));
    });
  }

  async stop() {
    this.process.kill('SIGTERM');
    deepStrictEqual(await this.ended, [0, null]);
  }
};

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
