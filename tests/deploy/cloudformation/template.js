// Templates of CloudFormation: how they are read, and what their functions give.

import YAML from 'yaml';

const FUNCTIONS = ['Sub', 'GetAtt', 'Join', 'Select', 'If', 'Equals', 'Not', 'And', 'Or', 'ImportValue', 'FindInMap',
    'Split', 'Base64', 'Cidr', 'GetAZs'];
export const FUNCTION_KEYS = ['Ref', 'Condition', ...FUNCTIONS.map((name) => `Fn::${name}`)];

// The short forms, as the long ones: !Sub x is {"Fn::Sub": x}, and !GetAtt a.b is {"Fn::GetAtt": ["a", "b"]}.
const tags = ['Ref', 'Condition', ...FUNCTIONS].flatMap((name) => {
    const key = name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`;
    return [undefined, 'seq', 'map'].map((collection) => ({
        tag: `!${name}`,
        collection,
        resolve(node) {
            const result = new YAML.YAMLMap();
            const value = new YAML.Scalar(node);
            if (name === 'GetAtt' && typeof node === 'string') {
                value.value = [node.slice(0, node.indexOf('.')), node.slice(node.indexOf('.') + 1)];
            }
            result.add(new YAML.Pair(key, collection ? node : value));
            return result;
        },
    }));
});

// Reads a template's text: {template, problems}. CloudFormation takes YAML 1.1 without aliases and merges.
export function readTemplate(text) {
    const document = YAML.parseDocument(text, { version: '1.1', customTags: tags, uniqueKeys: true, merge: false });
    const problems = [...document.errors, ...document.warnings].map((problem) => problem.message.split('\n')[0]);
    YAML.visit(document, {
        Alias(_, node) {
            problems.push(`an alias, which CloudFormation does not take: *${node.source}`);
        },
    });
    if (Buffer.byteLength(text) > 51200) {
        problems.push('more than 51,200 bytes, which the command line does not take');
    }
    return { template: JSON.parse(JSON.stringify(document.toJS())), problems };
}

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

// The function's key, where a value is one.
export function functionOf(value) {
    if (!isObject(value)) {
        return undefined;
    }
    const keys = Object.keys(value);
    return keys.length === 1 && (FUNCTION_KEYS.includes(keys[0]) || keys[0].startsWith('Fn::')) ? keys[0] : undefined;
}

export const isNoValue = (value) => isObject(value) && value.Ref === 'AWS::NoValue';

// The text of Fn::Sub, and its own variables.
export function substitution(value) {
    return Array.isArray(value) ? { text: String(value[0]), variables: value[1] ?? {} } : { text: String(value), variables: {} };
}

export const VARIABLE = /\$\{([^!}][^}]*)\}/g;

const PSEUDO = {
    'AWS::AccountId': '123456789012',
    'AWS::Partition': 'aws',
    'AWS::Region': 'eu-central-1',
    'AWS::StackId': 'arn:aws:cloudformation:eu-central-1:123456789012:stack/todobackend/1',
    'AWS::StackName': 'todobackend',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::NotificationARNs': [],
};
export const PSEUDO_PARAMETERS = [...Object.keys(PSEUDO), 'AWS::NoValue'];

const NOTHING = Symbol('AWS::NoValue');

// The resources as CloudFormation would make them from these parameters, without those whose condition is false.
// What is known only when they are made stands there in angle brackets: <Log>, <Log.Arn>, <import todobackend-data-Host>.
export function expand(template, given = {}) {
    const values = { ...PSEUDO };
    for (const [name, parameter] of Object.entries(template.Parameters ?? {})) {
        values[name] = given[name] ?? parameter.Default ?? `<${name}>`;
        if (/^List<|^CommaDelimited/.test(parameter.Type) && typeof values[name] === 'string') {
            values[name] = values[name].split(',');
        }
    }

    const named = (name) => (name in values ? values[name] : `<${name}>`);
    const sub = (value) => {
        const { text, variables } = substitution(value);
        return text.replace(VARIABLE, (_, name) => (name in variables ? evaluate(variables[name]) : named(name)))
            .replace(/\$\{!/g, '${');
    };
    const holds = (name) => evaluate(template.Conditions[name]);
    const functions = {
        Ref: (name) => (name === 'AWS::NoValue' ? NOTHING : named(name)),
        Condition: holds,
        'Fn::Sub': sub,
        'Fn::GetAtt': ([name, attribute]) => `<${name}.${attribute}>`,
        'Fn::If': ([condition, yes, no]) => evaluate(holds(condition) ? yes : no),
        'Fn::Equals': ([one, other]) => evaluate(one) === evaluate(other),
        'Fn::Not': ([value]) => !evaluate(value),
        'Fn::And': (list) => list.every(evaluate),
        'Fn::Or': (list) => list.some(evaluate),
        'Fn::Join': ([between, list]) => evaluate(list).join(between),
        'Fn::FindInMap': (path) => path.map(evaluate).reduce((found, key) => found[key], template.Mappings),
        'Fn::ImportValue': (name) => `<import ${evaluate(name)}>`,
        'Fn::Base64': (value) => Buffer.from(evaluate(value)).toString('base64'),
    };
    function evaluate(value) {
        const key = functionOf(value);
        if (key) {
            return functions[key](value[key]);
        }
        if (Array.isArray(value)) {
            return value.map(evaluate).filter((element) => element !== NOTHING);
        }
        if (isObject(value)) {
            return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, evaluate(each)])
                .filter(([, each]) => each !== NOTHING));
        }
        return value;
    }

    const resources = {};
    for (const [name, { Condition: condition, ...resource }] of Object.entries(template.Resources)) {
        if (!condition || holds(condition)) {
            resources[name] = evaluate(resource);
        }
    }
    return resources;
}
