// The document, and what it says of an answer.

import Ajv from 'ajv/dist/2020.js';

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

// Headers that any answer may have: of HTTP itself, of CORS, for browsers' safety, for logs and traces.
const GENERAL = new RegExp('^(connection|keep-alive|date|cache-control|content-(length|type|encoding)|' +
  'access-control-.*|x-content-type-options|x-frame-options|referrer-policy|content-security-policy|' +
  'x-request-id|x-amzn-trace-id)$');

export class Document {
  constructor(json) {
    this.json = json;
    this.ajv = new Ajv({ strict: false, validateFormats: false, allErrors: false });
    this.ajv.addSchema({ $id: 'openapi', ...json });
    this.validators = new Map();
  }

  // What a {"$ref": "#/..."} stands for.
  resolve(value) {
    if (!value?.$ref) return value;
    const found = value.$ref.slice(2).split('/').reduce(
      (from, name) => from?.[name.replaceAll('~1', '/').replaceAll('~0', '~')], this.json);
    if (found === undefined) throw new Error(`${value.$ref} is not there`);
    return found;
  }

  // All references lead somewhere.
  checkReferences(value = this.json) {
    if (value === null || typeof value !== 'object') return;
    this.resolve(value);
    Object.values(value).forEach((each) => this.checkReferences(each));
  }

  // Of each operation: path, method, and its parameters with those of its path.
  operations() {
    return Object.entries(this.json.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => ({
        path, method, operation: item[method],
        parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])]
          .map((each) => this.resolve(each)),
      })));
  }

  validator(schema) {
    const key = JSON.stringify(schema);
    if (!this.validators.has(key)) {
      const whole = JSON.parse(key.replaceAll('"#/', '"openapi#/'));
      this.validators.set(key, this.ajv.compile(whole));
    }
    return this.validators.get(key);
  }

  // What is wrong with the answer; '' when it is as documented.
  problemOf(path, method, answer) {
    const operation = this.json.paths[path]?.[method.toLowerCase()];
    const described = this.resolve(operation?.responses[answer.status]);
    if (!operation) return answer.status === 405 ? '' : `${method} ${path} is not in it`;
    if (!described) return `status ${answer.status} is not in it`;
    const documented = Object.keys(described.headers ?? {}).map((name) => name.toLowerCase());
    for (const [name] of answer.headers)
      if (!GENERAL.test(name) && !documented.includes(name))
        return `${answer.status} has a header ${name}, which is not in it`;
    if (method === 'HEAD' || answer.body === '') return '';
    const type = (answer.headers.get('Content-Type') ?? '').split(';')[0];
    const content = described.content?.[type] ?? described.content?.['*/*'];
    if (!content) return `${answer.status} has a body of ${type}, which is not in it`;
    if (!content.schema || type === 'text/html') return '';
    const validate = this.validator(content.schema);
    if (validate(JSON.parse(answer.body))) return '';
    return `${answer.status}: ${this.ajv.errorsText(validate.errors)}`;
  }
}
