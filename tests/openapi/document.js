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
    this.patterns = Object.entries(json.paths).map(([path, item]) => [path, new RegExp(
      `^${path.replaceAll('.', '\\.').replace(/\{\w+\}/, '[^/]+')}` +
      `${this.takesFormat(item) ? '(\\.\\w+/?)?' : ''}$`)]);
    this.refusals = Object.assign({}, ...this.operations().map((each) => each.operation.responses));
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

  // Whether it is answered in the form that a suffix or the parameter `format` names.
  takesFormat(item) {
    return (item.parameters ?? []).some((each) => this.resolve(each).name === 'format');
  }

  // The path that a request's target is of; undefined when it is of none.
  pathOf(target) {
    const rest = target.replace(/^https?:\/\/[^/?]*/, '');
    try {
      const path = decodeURIComponent(new URL(`http://a${rest}`).pathname);
      return this.patterns.find(([, pattern]) => pattern.test(path))?.[0];
    } catch {
      return undefined;
    }
  }

  validator(schema) {
    const key = JSON.stringify(schema);
    if (!this.validators.has(key)) {
      const whole = JSON.parse(key.replaceAll('"#/', '"openapi#/'));
      this.validators.set(key, this.ajv.compile(whole));
    }
    return this.validators.get(key);
  }

  // What an answer of this status is. What is no operation is refused as any other is; but a preflight
  // may be for any path.
  described(method, target, status) {
    const operation = this.json.paths[this.pathOf(target)]?.[method.toLowerCase()] ??
      (method === 'OPTIONS' && this.json.paths['/'].options);
    return this.resolve(operation ? operation.responses[status] : status >= 400 && this.refusals[status]);
  }

  // What is wrong with the answer; '' when it is as documented.
  problemOf({ method, target }, answer) {
    const described = this.described(method, target, answer.status);
    if (!described) return `status ${answer.status} is not in it`;
    const documented = Object.keys(described.headers ?? {}).map((name) => name.toLowerCase());
    for (const [name] of answer.headers)
      if (!GENERAL.test(name) && !documented.includes(name))
        return `${answer.status} has a header ${name}, which is not in it`;
    if (!answer.headers.has('X-Request-Id')) return `${answer.status} has no X-Request-Id`;
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
