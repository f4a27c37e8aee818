// What `kubectl apply -k FOLDER` would send: as much of kustomize as deploy/kubernetes needs, and no more.
// What it doesn't know it refuses.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import YAML from 'yaml';

const KNOWN = ['apiVersion', 'kind', 'namespace', 'resources', 'images', 'configMapGenerator', 'patches'];
const WITHOUT_NAMESPACE = ['Namespace'];

function readObjects(file) {
    return YAML.parseAllDocuments(fs.readFileSync(file, 'utf8'), { strict: true, uniqueKeys: true }).map((document) => {
        if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0].message}`);
        return document.toJS();
    });
}

function readSettings(file) {
    const lines = fs.readFileSync(file, 'utf8').split('\n').map((line) => line.trim());
    return lines.filter((line) => line && !line.startsWith('#'));
}

// kustomize's own: the digest of the data's JSON, in letters and digits that make no words.
function nameWithDigest(name, data) {
    const sorted = Object.fromEntries(Object.keys(data).sort().map((key) => [key, data[key]]));
    const digest = createHash('sha256').update(JSON.stringify({ data: sorted, kind: 'ConfigMap', name: '' })).digest('hex');
    return `${name}-${digest.slice(0, 10).replace(/[013ae]/g, (byte) => ({ 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' })[byte])}`;
}

function generate(folder, generators, configMaps) {
    for (const { name, behavior = 'create', envs = [], literals = [] } of generators) {
        if ((behavior === 'merge') !== configMaps.has(name)) throw new Error(`ConfigMap ${name}: ${behavior} is wrong`);
        const lines = [...envs.flatMap((file) => readSettings(path.join(folder, file))), ...literals];
        const data = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
        configMaps.set(name, { ...configMaps.get(name), ...data });
    }
}

// A strategic merge without lists, whose merging depends on the field.
function merge(object, patch, where) {
    for (const [key, value] of Object.entries(patch)) {
        if (value === null || Array.isArray(value)) throw new Error(`${where}.${key}: a patch of a list or of nothing`);
        if (typeof value !== 'object') object[key] = value;
        else merge((object[key] ??= {}), value, `${where}.${key}`);
    }
}

function applyPatch(file, objects) {
    for (const patch of readObjects(file)) {
        const found = objects.filter((object) => object.kind === patch.kind && object.apiVersion === patch.apiVersion
            && object.metadata.name === patch.metadata.name);
        if (found.length !== 1) throw new Error(`${file}: there is no ${patch.kind} ${patch.metadata.name} to patch`);
        merge(found[0], patch, patch.kind);
    }
}

function visit(value, see) {
    if (value === null || typeof value !== 'object') return;
    see(value);
    Object.values(value).forEach((child) => visit(child, see));
}

function setImages(objects, images) {
    for (const { name, newName = name, newTag } of images) {
        let count = 0;
        visit(objects, (part) => {
            const [, image, tag] = /^(.*?)(?::([^:/]*))?$/.exec(typeof part.image === 'string' ? part.image : '');
            if (image !== name) return;
            part.image = [newName, newTag ?? tag].filter(Boolean).join(':');
            count++;
        });
        if (count === 0) throw new Error(`no container has the image ${name}`);
    }
}

function build(folder) {
    const file = path.join(folder, 'kustomization.yaml');
    const kustomization = readObjects(file)[0];
    const unknown = Object.keys(kustomization).filter((key) => !KNOWN.includes(key));
    if (unknown.length > 0) throw new Error(`${file}: ${unknown} is not known here`);
    const objects = [];
    const configMaps = new Map();
    for (const resource of kustomization.resources) {
        const target = path.join(folder, resource);
        if (!fs.statSync(target).isDirectory()) {
            objects.push(...readObjects(target));
            continue;
        }
        const below = build(target);
        objects.push(...below.objects);
        below.configMaps.forEach((data, name) => configMaps.set(name, data));
    }
    generate(folder, kustomization.configMapGenerator ?? [], configMaps);
    (kustomization.patches ?? []).forEach((patch) => applyPatch(path.join(folder, patch.path), objects));
    setImages(objects, kustomization.images ?? []);
    for (const object of objects) {
        if (!WITHOUT_NAMESPACE.includes(object.kind)) object.metadata.namespace = kustomization.namespace;
    }
    return { objects, configMaps, namespace: kustomization.namespace };
}

export function expand(folder) {
    const { objects, configMaps, namespace } = build(folder);
    for (const [name, data] of configMaps) {
        const full = nameWithDigest(name, data);
        visit(objects, (part) => {
            if (part.configMapRef?.name === name) part.configMapRef.name = full;
        });
        objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: full, namespace }, data });
    }
    return objects;
}
