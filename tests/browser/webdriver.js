// A browser of Debian's by WebDriver (W3C). WebKitGTK's has a driver, which is asked over HTTP and
// needs a display; Firefox takes the same commands by itself, on a socket, where each message is
// `LENGTH:[0, number, command, parameters]` (Marionette): Debian 12 has no driver for it.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 60000; // milliseconds that a browser may take to start

// For HTTP and for Marionette; {id} is a parameter, too.
const COMMANDS = {
  navigate: ['POST', '/url', 'WebDriver:Navigate'],
  refresh: ['POST', '/refresh', 'WebDriver:Refresh'],
  execute: ['POST', '/execute/sync', 'WebDriver:ExecuteScript'],
  find: ['POST', '/element', 'WebDriver:FindElement'],
  click: ['POST', '/element/{id}/click', 'WebDriver:ElementClick'],
  type: ['POST', '/element/{id}/value', 'WebDriver:ElementSendKeys'],
  act: ['POST', '/actions', 'WebDriver:PerformActions'],
  newWindow: ['POST', '/window/new', 'WebDriver:NewWindow'],
  window: ['GET', '/window', 'WebDriver:GetWindowHandle'],
  switchTo: ['POST', '/window', 'WebDriver:SwitchToWindow'],
};

async function attempt(action) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await sleep(100);
  }
}

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

// What was started is ended in the reverse order.
class Processes {
  started = [];

  start(command, args, options) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], ...options });
    this.started.push({ child, ended: new Promise((done) => child.on('exit', done)) });
    return child;
  }

  async end() {
    for (const { child, ended } of this.started.reverse()) {
      child.kill();
      await ended;
    }
  }
}

/* ---- Firefox ---- */

const PREFERENCES = {
  'marionette.port': 0,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
};

// Answers come in the order of the questions: one is asked at a time.
class Marionette {
  text = Buffer.alloc(0);
  number = 0;

  constructor(socket) {
    this.socket = socket;
    socket.on('data', (part) => {
      this.text = Buffer.concat([this.text, part]);
      this.take();
    });
  }

  take() {
    const start = this.text.indexOf(':') + 1;
    const end = start + Number(this.text.subarray(0, start - 1));
    if (start === 0 || this.text.length < end) return;
    const message = JSON.parse(this.text.subarray(start, end));
    this.text = this.text.subarray(end);
    this.waiting?.(message);
  }

  // Gives its greeting, or an answer.
  receive() {
    return new Promise((done) => { this.waiting = done; });
  }

  async ask(name, parameters) {
    const command = JSON.stringify([0, ++this.number, name, parameters]);
    this.socket.write(`${Buffer.byteLength(command)}:${command}`);
    const [, , error, result] = await this.receive();
    if (error) throw new Error(`${name}: ${error.message}`);
    return result;
  }
}

async function startFirefox(processes, folder) {
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
  writeFileSync(join(folder, 'user.js'), lines.join(''));
  processes.start('firefox-esr', ['--headless', '--no-remote', '--marionette', '--profile', folder], {
    stdio: 'ignore', env: { ...process.env, HOME: folder },
  });
  const port = await attempt(() => Number(readFileSync(join(folder, 'MarionetteActivePort'), 'utf8')) || Promise.reject(new Error('no port')));
  const marionette = new Marionette(connect(port, '127.0.0.1'));
  await marionette.receive();
  await marionette.ask('WebDriver:NewSession', {});
  return async (name, { id, ...parameters }) => {
    const result = await marionette.ask(COMMANDS[name][2], id ? { id, ...parameters } : parameters);
    return 'value' in result ? result.value : result;
  };
}

/* ---- WebKitGTK ---- */

async function startWebKit(processes, folder) {
  const screen = processes.start('Xvfb', ['-displayfd', '1', '-nolisten', 'tcp', '-screen', '0', '1280x900x24']);
  const [display] = await new Promise((done) => { createInterface({ input: screen.stdout }).on('line', (...line) => done(line)); });
  const port = await freePort();
  processes.start('WebKitWebDriver', [`--port=${port}`], {
    stdio: 'ignore', env: { ...process.env, DISPLAY: `:${display}`, GDK_BACKEND: 'x11', HOME: folder, XDG_RUNTIME_DIR: folder },
  });
  const ask = async (method, path, parameters) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: method === 'GET' ? undefined : JSON.stringify(parameters) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
    return value;
  };
  const { sessionId } = await attempt(() => ask('POST', '/session', { capabilities: {} }));
  return (name, { id, ...parameters }) => {
    const [method, path] = COMMANDS[name];
    return ask(method, `/session/${sessionId}${path.replace('{id}', id)}`, parameters);
  };
}

/* ---- what both can do ---- */

const STARTERS = { firefox: startFirefox, webkit: startWebKit };

export class Browser {
  processes = new Processes();
  folder = mkdtempSync(join(tmpdir(), 'browser-'));

  async start(name) {
    this.ask = await STARTERS[name](this.processes, this.folder);
  }

  async end() {
    await this.processes.end();
    rmSync(this.folder, { recursive: true, maxRetries: 10, retryDelay: 100 });
  }

  async find(selector) {
    const element = await this.ask('find', { using: 'css selector', value: selector });
    return Object.values(element)[0];
  }

  go = (url) => this.ask('navigate', { url });
  reload = () => this.ask('refresh', {});
  run = (script, ...args) => this.ask('execute', { script, args });
  click = async (selector) => this.ask('click', { id: await this.find(selector) });
  type = async (selector, text) => this.ask('type', { id: await this.find(selector), text });
  window = () => this.ask('window', {});
  newWindow = async () => (await this.ask('newWindow', { type: 'window' })).handle;
  switchTo = (handle) => this.ask('switchTo', { handle });

  async clickTwice(selector) {
    const press = [{ type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }];
    const origin = { 'element-6066-11e4-a52e-4f735466cecf': await this.find(selector) };
    await this.ask('act', { actions: [{
      type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' },
      actions: [{ type: 'pointerMove', origin, x: 0, y: 0 }, ...press, ...press],
    }] });
  }
}
