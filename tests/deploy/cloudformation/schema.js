// What a template of CloudFormation may be: types, properties, values and references, by the specification that
// npm's @aws-cdk/aws-service-spec carries.

import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import { functionOf, isNoValue, isObject, PSEUDO_PARAMETERS, substitution, VARIABLE } from './template.js';

const spec = loadAwsServiceSpecSync();
const SECTIONS = ['AWSTemplateFormatVersion', 'Description', 'Metadata', 'Parameters', 'Rules', 'Mappings',
    'Conditions', 'Resources', 'Outputs'];
const PARTS = ['Type', 'Properties', 'DependsOn', 'Condition', 'Metadata', 'DeletionPolicy', 'UpdateReplacePolicy',
    'UpdatePolicy', 'CreationPolicy'];
const POLICIES = { DeletionPolicy: ['Delete', 'Retain', 'Snapshot', 'RetainExceptOnCreate'], UpdateReplacePolicy: ['Delete', 'Retain', 'Snapshot'] };
const PARAMETER_TYPES = /^(String|Number|List<Number>|CommaDelimitedList|(List<)?AWS::(EC2|SSM|Route53)::[A-Za-z:<>]+>?)$/;
const PARAMETER_PARTS = ['Type', 'Default', 'AllowedValues', 'AllowedPattern', 'MinValue', 'MaxValue', 'MinLength', 'MaxLength', 'NoEcho',
    'Description', 'ConstraintDescription'];
const LISTS = ['Fn::Split', 'Fn::GetAZs', 'Fn::Cidr'];

export function resourceType(name) {
    const found = spec.lookup('resource', 'cloudFormationType', 'equals', name);
    return found.length > 0 ? found.only() : undefined;
}

// Of what a property is made: the definition behind its type.
export function definition(type) {
    return type.type === 'ref' ? spec.get('typeDefinition', type.reference.$ref) : undefined;
}

const isListParameter = (parameter) => /^List<|^CommaDelimitedList/.test(parameter.Type);

// All that is wrong, a line each: checkSchema(template).
export function checkSchema(template) {
    const findings = [];
    const report = (path, message) => findings.push(`${path}: ${message}`);
    const { Parameters: parameters = {}, Conditions: conditions = {}, Mappings: mappings = {}, Resources: resources = {},
        Outputs: outputs = {}, Rules: rules = {} } = template;
    const used = { parameters: new Set(), conditions: new Set(), mappings: new Set() };
    const edges = {}; // which resource needs which
    let current; // the resource that is looked at

    function need(name) {
        (edges[current] ??= new Set()).add(name);
    }

    // A resource that is made on a condition can be named only where that is known to hold.
    function checkPresence(path, name, known) {
        const condition = resources[name].Condition;
        if (condition && known[condition] !== true) {
            report(path, `${name} is there only if ${condition}, which is not sure here`);
        }
        if (name === current) {
            report(path, `${name} refers to itself`);
        }
        need(name);
    }

    function checkRef(path, name, known) {
        if (parameters[name]) {
            used.parameters.add(name);
        } else if (resources[name]) {
            checkPresence(path, name, known);
        } else if (!PSEUDO_PARAMETERS.includes(name)) {
            report(path, `there is no parameter or resource ${name}`);
        }
    }

    function checkAttribute(path, [name, attribute], known) {
        if (!resources[name]) {
            report(path, `there is no resource ${name}`);
            return;
        }
        checkPresence(path, name, known);
        const type = resourceType(resources[name].Type);
        if (type && !type.attributes[attribute] && !type.properties[attribute]) {
            report(path, `${resources[name].Type} has no attribute ${attribute}`);
        }
    }

    function checkSub(path, value, known) {
        const { text, variables } = substitution(value);
        const names = [...text.matchAll(VARIABLE)].map((match) => match[1]);
        if (names.length === 0) {
            report(path, 'Fn::Sub has nothing to substitute');
        }
        for (const name of names.filter((each) => !(each in variables))) {
            if (name.includes('.')) {
                checkAttribute(path, [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)], known);
            } else {
                checkRef(path, name, known);
            }
        }
        for (const name of Object.keys(variables).filter((each) => !names.includes(each))) {
            report(path, `Fn::Sub does not use its variable ${name}`);
        }
        walk(path, variables, known);
    }

    function checkCondition(path, name) {
        used.conditions.add(name);
        if (!conditions[name]) {
            report(path, `there is no condition ${name}`);
        }
    }

    function checkMap(path, [map, ...keys]) {
        used.mappings.add(map);
        let found = mappings[map];
        if (!found) {
            report(path, `there is no mapping ${map}`);
        }
        for (const key of keys.filter((each) => typeof each === 'string')) {
            // Where the key before is known only later, all of its values need this one.
            const next = found?.[key] ?? Object.values(found ?? {})[0]?.[key];
            if (found && next === undefined) {
                report(path, `the mapping ${map} has no ${key}`);
            }
            found = next;
        }
    }

    // A function's own arguments; the branches of Fn::If are the caller's.
    function checkFunction(path, key, value, known) {
        switch (key) {
        case 'Ref': checkRef(path, value, known); break;
        case 'Fn::GetAtt': checkAttribute(path, value, known); break;
        case 'Fn::Sub': checkSub(path, value, known); break;
        case 'Condition': checkCondition(path, value); break;
        case 'Fn::FindInMap': checkMap(path, value); walk(path, value, known); break;
        case 'Fn::Join': case 'Fn::Select': case 'Fn::Equals': case 'Fn::Split':
            if (!Array.isArray(value) || value.length !== 2) {
                report(path, `${key} takes two arguments`);
            }
            walk(path, value, known);
            break;
        case 'Fn::Not': case 'Fn::And': case 'Fn::Or': case 'Fn::ImportValue': case 'Fn::Base64': case 'Fn::GetAZs': case 'Fn::Cidr':
            walk(path, value, known);
            break;
        default: report(path, `there is no function ${key}`);
        }
    }

    function branches(path, value, known, look) {
        const [condition, yes, no] = value;
        if (value.length !== 3) {
            report(path, 'Fn::If takes three arguments');
        }
        checkCondition(path, condition);
        look(yes, { ...known, [condition]: true });
        look(no, { ...known, [condition]: false });
    }

    // Whatever type it has: the functions in it.
    function walk(path, value, known) {
        const key = functionOf(value);
        if (key === 'Fn::If') {
            branches(path, value[key], known, (each, then) => walk(path, each, then));
        } else if (key) {
            checkFunction(path, key, value[key], known);
        } else if (typeof value === 'object' && value !== null) {
            for (const [name, each] of Object.entries(value)) {
                walk(`${path}/${name}`, each, known);
            }
        }
    }

    function checkValues(path, type, values) {
        for (const value of type.allowedValues ? values : []) {
            if (!type.allowedValues.map(String).includes(String(value))) {
                report(path, `${value} is none of ${type.allowedValues.join(', ')}`);
            }
        }
    }

    // What a function gives, as far as that is known.
    function checkResult(path, type, key, value) {
        const parameter = key === 'Ref' ? parameters[value] : undefined;
        const isList = LISTS.includes(key) || (parameter && isListParameter(parameter));
        if (type.type === 'array' && !isList && key !== 'Fn::GetAtt' && key !== 'Fn::FindInMap' && !isNoValue({ [key]: value })) {
            report(path, 'a list is expected');
        }
        if (type.type !== 'array' && isList) {
            report(path, 'a list where there may be none');
        }
        if (parameter?.AllowedValues) {
            checkValues(path, type, parameter.AllowedValues);
        }
        if ((type.type === 'integer' || type.type === 'number') && parameter && parameter.Type !== 'Number') {
            report(path, `${value} is no parameter of type Number`);
        }
        if (type.type === 'ref' && !isNoValue({ [key]: value })) {
            report(path, 'an object is expected');
        }
    }

    function check(path, type, value, known) {
        const key = functionOf(value);
        if (key === 'Fn::If') {
            branches(path, value[key], known, (each, then) => check(path, type, each, then));
            return;
        }
        if (key) {
            checkFunction(path, key, value[key], known);
            checkResult(path, type, key, value[key]);
            return;
        }
        if (value === null || value === undefined) {
            report(path, 'empty');
            return;
        }
        checkLiteral(path, type, value, known);
    }

    function checkLiteral(path, type, value, known) {
        switch (type.type) {
        case 'string':
            if (typeof value === 'object') {
                report(path, 'a string is expected');
            } else {
                checkValues(path, type, [value]);
            }
            break;
        case 'integer':
        case 'number':
            if (typeof value === 'object' || !/^-?[0-9]+(\.[0-9]+)?$/.test(value)) {
                report(path, `a number is expected, not ${value}`);
            }
            break;
        case 'boolean':
            if (!/^(true|false)$/.test(value)) {
                report(path, `true or false is expected, not ${value}`);
            }
            break;
        case 'array':
            if (Array.isArray(value)) {
                value.forEach((each, index) => check(`${path}/${index}`, type.element, each, known));
            } else {
                report(path, 'a list is expected');
            }
            break;
        case 'map':
            checkMapping(path, type, value, known);
            break;
        case 'ref': checkProperties(path, definition(type), value, known); break;
        case 'tag': checkProperties(path, { name: 'Tag', properties: { Key: { type: { type: 'string' }, required: true }, Value: { type: { type: 'string' }, required: true } } }, value, known); break;
        case 'union': checkUnion(path, type, value, known); break;
        default: walk(path, value, known);
        }
    }

    function checkMapping(path, type, value, known) {
        if (!isObject(value)) {
            report(path, 'an object is expected');
            return;
        }
        for (const [name, each] of Object.entries(value)) {
            check(`${path}/${name}`, type.element, each, known);
        }
    }

    // One of several: the findings of the one that fits best.
    function checkUnion(path, type, value, known) {
        const before = findings.length;
        const tries = type.types.map((each) => {
            check(path, each, value, known);
            return findings.splice(before);
        });
        findings.push(...tries.sort((one, other) => one.length - other.length)[0]);
    }

    function checkProperties(path, { name: owner, properties }, value, known) {
        if (!isObject(value)) {
            report(path, `an object is expected: ${owner}`);
            return;
        }
        for (const [name, each] of Object.entries(value)) {
            if (properties[name]) {
                check(`${path}/${name}`, properties[name].type, each, known);
            } else {
                report(path, `${owner} has no property ${name}`);
                walk(path, each, known);
            }
        }
        for (const [name, { required }] of Object.entries(properties)) {
            if (required && (value[name] === undefined || isNoValue(value[name]))) {
                report(path, `${owner} needs ${name}`);
            }
        }
    }

    function checkResource(name, resource) {
        current = name;
        const known = resource.Condition ? { [resource.Condition]: true } : {};
        if (!/^[A-Za-z0-9]+$/.test(name)) {
            report(name, 'letters and digits alone make a name');
        }
        for (const part of Object.keys(resource).filter((each) => !PARTS.includes(each))) {
            report(name, `a resource has no ${part}`);
        }
        for (const [part, values] of Object.entries(POLICIES)) {
            if (resource[part] && !values.includes(resource[part])) {
                report(name, `${part} is none of ${values.join(', ')}`);
            }
        }
        for (const other of [].concat(resource.DependsOn ?? [])) {
            need(other);
            if (!resources[other]) {
                report(name, `DependsOn names ${other}, which there is not`);
            }
        }
        if (resource.Condition) {
            checkCondition(name, resource.Condition);
        }
        walk(name, { Metadata: resource.Metadata, UpdatePolicy: resource.UpdatePolicy, CreationPolicy: resource.CreationPolicy }, known);
        const type = resourceType(resource.Type);
        if (type) {
            checkProperties(name, { name: resource.Type, properties: type.properties }, resource.Properties ?? {}, known);
        } else {
            report(name, `there is no type ${resource.Type}`);
        }
        current = undefined;
    }

    function checkParameter(name, parameter) {
        const path = `Parameters/${name}`;
        for (const part of Object.keys(parameter).filter((each) => !PARAMETER_PARTS.includes(each))) {
            report(path, `a parameter has no ${part}`);
        }
        if (!PARAMETER_TYPES.test(parameter.Type)) {
            report(path, `there is no type ${parameter.Type}`);
        }
        if (parameter.Default === undefined) {
            return;
        }
        if (parameter.AllowedValues && !parameter.AllowedValues.includes(parameter.Default)) {
            report(path, `its default is none of ${parameter.AllowedValues.join(', ')}`);
        }
        if (parameter.AllowedPattern && !new RegExp(`^(?:${parameter.AllowedPattern})$`).test(parameter.Default)) {
            report(path, 'its default does not fit its pattern');
        }
        if (parameter.Default < parameter.MinValue || parameter.Default > parameter.MaxValue) {
            report(path, 'its default is out of its range');
        }
        if ([parameter.Default, ...(parameter.AllowedValues ?? [])].some((value) => typeof value === 'boolean')) {
            report(path, 'true, false, yes, no, on and off without quotes are no text in YAML 1.1');
        }
    }

    // Depth first: a resource that is met again on the way down to it is in a circle.
    function checkCircles() {
        const done = new Set();
        const visit = (name, way) => {
            if (way.includes(name)) {
                report(name, `a circle: ${[...way.slice(way.indexOf(name)), name].join(' → ')}`);
            } else if (!done.has(name)) {
                [...(edges[name] ?? [])].filter((each) => each !== name).forEach((each) => visit(each, [...way, name]));
                done.add(name);
            }
        };
        Object.keys(resources).forEach((name) => visit(name, []));
    }

    for (const section of Object.keys(template).filter((each) => !SECTIONS.includes(each))) {
        report(section, 'there is no such section');
    }
    Object.entries(parameters).forEach(([name, parameter]) => checkParameter(name, parameter));
    Object.entries(resources).forEach(([name, resource]) => checkResource(name, resource));
    walk('Conditions', conditions, {});
    walk('Rules', rules, {});
    for (const [name, output] of Object.entries(outputs)) {
        if (output.Condition) {
            checkCondition(`Outputs/${name}`, output.Condition);
        }
        check(`Outputs/${name}`, { type: 'string' }, output.Value, output.Condition ? { [output.Condition]: true } : {});
        walk(`Outputs/${name}/Export`, output.Export, {});
    }
    checkCircles();
    for (const [section, all] of Object.entries({ parameters, conditions, mappings })) {
        for (const name of Object.keys(all).filter((each) => !used[section].has(each))) {
            report(section, `${name} is not used`);
        }
    }
    return findings;
}
