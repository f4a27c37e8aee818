// What the API says of each object, without a server: kubernetes-models has its schemas (types, what is
// required, what may be chosen) but lets unknown fields pass; the client's attribute maps name all fields.
import { createRequire } from 'node:module';
import * as client from '@kubernetes/client-node';

const require = createRequire(import.meta.url);

function wrongTypes(object) {
    try {
        const Model = require(`kubernetes-models/${object.apiVersion}`)[object.kind];
        new Model(object).validate();
        return [];
    } catch (error) {
        return [`${object.kind}: ${error.message}`];
    }
}

function className({ apiVersion, kind }) {
    const version = apiVersion.split('/').at(-1);
    return version[0].toUpperCase() + version.slice(1) + kind;
}

function unknownFields(value, name, where) {
    const list = /^Array<(.*)>$/.exec(name);
    if (list) return [value].flat().flatMap((item, i) => unknownFields(item, list[1], `${where}[${i}]`));
    const Class = client[name];
    if (!Class?.getAttributeTypeMap || value === null || typeof value !== 'object') return [];
    const types = new Map(Class.getAttributeTypeMap().map((attribute) => [attribute.baseName, attribute.type]));
    return Object.entries(value).flatMap(([field, child]) => {
        if (!types.has(field)) return [`${where}.${field}: there is no such field`];
        return unknownFields(child, types.get(field), `${where}.${field}`);
    });
}

export function checkSchema(objects) {
    return objects.flatMap((object) => {
        if (!client[className(object)]) return [`${object.apiVersion} ${object.kind}: there is no such kind`];
        return [...wrongTypes(object), ...unknownFields(object, className(object), object.kind)];
    });
}
