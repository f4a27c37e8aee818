// Expands deploy/kubernetes as kustomize does, and holds base and eks to Kubernetes' schemas, to the rules in
// rules.js, and their settings to the program. Then each error of planted.js is made, and has to be found.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import YAML from 'yaml';
import { expand } from './expand.js';
import { planted } from './planted.js';
import { rules } from './rules.js';
import { checkSchema } from './schema.js';

const root = path.resolve(import.meta.dirname, '../../..');
const program = path.resolve(root, process.env.TEST_APP ?? 'build/app');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

const numbers = Object.fromEntries([...read('deploy/numbers').matchAll(/^([a-z_]+) +(\d+) /gm)].map(([, name, value]) => [name, Number(value)]));
const image = Object.fromEntries([.../^ENV (.*)$/m.exec(read('Dockerfile'))[1].matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]));
const exitStatuses = [...read('README.md').matchAll(/^\| (\d+) \| /gm)].map(([, status]) => Number(status));
const readme = read('deploy/kubernetes/README.md');
const secrets = fs.mkdtempSync(path.join(os.tmpdir(), 'todobackend-secrets-'));
fs.writeFileSync(path.join(secrets, 'MYSQL_PASSWORD'), 'secret\n');
fs.writeFileSync(path.join(secrets, 'rds-ca.pem'), tls.rootCertificates[0]);

// What the program makes of the ConfigMap, in the image: its settings, and what it finds wrong.
function configure(objects) {
    const data = objects.find((object) => object.kind === 'ConfigMap').data;
    const env = { ...image, SECRETS_ROOT: secrets, ...data };
    for (const name of Object.keys(env)) env[name] = env[name].replace(/^\/run\/secrets(?=\/)/, secrets);
    const { status, stdout } = spawnSync(program, ['config'], { env, encoding: 'utf8' });
    const settings = Object.fromEntries([...stdout.matchAll(/^([A-Z_]+) +(\S+) /gm)].map(([, name, value]) => [name, value]));
    const unknown = Object.keys(data).filter((name) => !(name in settings));
    return {
        settings,
        errors: [
            ...(status === 0 ? [] : [`app config: ${stdout.split('Wrong:\n')[1]}`]),
            ...unknown.map((name) => `settings: there is no ${name}`),
        ],
    };
}

function errorsOf(objects) {
    const { settings, errors } = configure(objects);
    const facts = { settings, numbers, exitStatuses, readme };
    return [...errors, ...checkSchema(objects), ...rules.flatMap((rule) => rule(objects, facts))];
}

let passed = 0;
let failed = 0;
function fact(text, holds, found) {
    if (holds) {
        passed++;
        return;
    }
    failed++;
    console.log(`FAILED: ${text}${found ? `: ${found}` : ''}`);
}

// As kustomize itself has it, where there is one.
function compare(name, objects) {
    const folder = path.join(root, 'deploy/kubernetes', name);
    const { status, stdout } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
    if (status !== 0) {
        console.log(`NOT COMPARED: no kubectl expands ${name} here`);
        return;
    }
    const sort = (list) => list.sort((one, other) => (one.kind + one.metadata.name < other.kind + other.metadata.name ? -1 : 1));
    const theirs = YAML.parseAllDocuments(stdout).map((document) => document.toJS());
    fact(`${name}: kustomize makes something else of it`, isDeepStrictEqual(sort(theirs), sort(structuredClone(objects))));
}

for (const name of ['base', 'eks']) {
    const objects = expand(path.join(root, 'deploy/kubernetes', name));
    const errors = errorsOf(objects);
    fact(`${name}: it is made of ${objects.length} objects`, objects.length === 9);
    fact(`${name} is right`, errors.length === 0, errors.join('\n    '));
    compare(name, objects);
}

// Each in a copy of what is right.
const objects = expand(path.join(root, 'deploy/kubernetes/base'));
for (const [words, kind, change] of planted) {
    const copy = structuredClone(objects);
    const part = copy.find((object) => object.kind === kind);
    change(part, copy);
    const errors = errorsOf(copy);
    fact(`not found: ${kind}: ${change}`, errors.some((error) => error.includes(words)), errors.join('\n    ') || 'nothing');
}

// And in the files: what kustomize would refuse.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'todobackend-kubernetes-'));
for (const [file, from, to] of [
    ['eks/deployment.yaml', 'name: todobackend', 'name: todobackends'],
    ['eks/kustomization.yaml', 'registry.example/team/todobackend', 'registry.example/todobackend'],
    ['eks/kustomization.yaml', 'behavior: merge', 'behavior: create'],
    ['base/traffic.yaml', 'pathType: Prefix', 'pathType: Prefix, pathType: Exact'],
    ['base/kustomization.yaml', 'images:', 'image:'],
]) {
    fs.cpSync(path.join(root, 'deploy/kubernetes'), folder, { recursive: true });
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    fs.writeFileSync(path.join(folder, file), text.replace(from, to));
    let refused = false;
    try {
        expand(path.join(folder, 'eks'));
    } catch {
        refused = true;
    }
    fact(`not found: ${file}: ${to}`, refused && text.includes(from));
}

fs.rmSync(folder, { recursive: true });
fs.rmSync(secrets, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
