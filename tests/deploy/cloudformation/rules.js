// Rules of our own, which no schema has: of what AWS' guides advise, and of what this program needs. Each takes
// resources as expand() gives them and tells what is wrong, a line each.

import { definition, resourceType } from './schema.js';

const ofType = (resources, type) => Object.entries(resources).filter(([, resource]) => resource.Type === type)
    .map(([name, resource]) => [name, resource.Properties ?? {}, resource]);

// What loses data with its resource, and what CloudFormation is to do then.
const LASTING = {
    'AWS::RDS::DBInstance': 'Snapshot',
    'AWS::SecretsManager::Secret': 'Retain',
    'AWS::ECR::Repository': 'Retain',
    'AWS::S3::Bucket': 'Retain',
    'AWS::Logs::LogGroup': 'Delete', // it has a time limit anyway, and the others do not need it: but said
};

function checkData(resources, report) {
    for (const [name, resource] of Object.entries(resources)) {
        const policy = LASTING[resource.Type];
        if (policy && (resource.DeletionPolicy !== policy || resource.UpdateReplacePolicy !== policy)) {
            report(name, `DeletionPolicy and UpdateReplacePolicy are ${policy}`);
        }
    }
    const wants = (name, properties, values) => {
        for (const [key, value] of Object.entries(values)) {
            if (String(properties[key]) !== String(value)) {
                report(name, `${key} is ${value}`);
            }
        }
    };
    for (const [name, properties] of ofType(resources, 'AWS::RDS::DBInstance')) {
        wants(name, properties, { StorageEncrypted: true, PubliclyAccessible: false, DeletionProtection: true,
            ManageMasterUserPassword: true, CopyTagsToSnapshot: true });
        if (properties.MasterUserPassword !== undefined) {
            report(name, 'a password in a template is one that many can read');
        }
        if (!(properties.BackupRetentionPeriod >= 7)) {
            report(name, 'BackupRetentionPeriod is at least 7');
        }
        const group = resources[String(properties.DBParameterGroupName).slice(1, -1)];
        if (group?.Properties.Parameters.require_secure_transport !== 'ON') {
            report(name, 'its parameter group has require_secure_transport ON');
        }
    }
    for (const [name, properties] of ofType(resources, 'AWS::Logs::LogGroup')) {
        if (!(properties.RetentionInDays > 0)) {
            report(name, 'a log that is kept for ever');
        }
    }
    for (const [name, properties] of ofType(resources, 'AWS::ECR::Repository')) {
        wants(name, properties, { ImageTagMutability: 'IMMUTABLE' });
        if (!properties.ImageScanningConfiguration?.ScanOnPush) {
            report(name, 'images are scanned when they are pushed');
        }
        try {
            JSON.parse(properties.LifecyclePolicy.LifecyclePolicyText).rules.forEach((rule) => rule.selection.countType.length);
        } catch {
            report(name, 'its lifecycle policy is no JSON of rules');
        }
    }
    for (const [name, properties] of ofType(resources, 'AWS::S3::Bucket')) {
        if (!properties.BucketEncryption || Object.values(properties.PublicAccessBlockConfiguration ?? {}).filter(Boolean).length !== 4) {
            report(name, 'encrypted, and closed to the public in all four ways');
        }
    }
}

function checkNetwork(resources, report) {
    for (const [name, properties] of ofType(resources, 'AWS::EC2::SecurityGroup')) {
        for (const rule of properties.SecurityGroupIngress ?? []) {
            if (rule.CidrIp === '0.0.0.0/0' && ![80, 443].includes(rule.FromPort)) {
                report(name, `port ${rule.FromPort} is open to everybody`);
            }
        }
    }
    for (const [name, properties] of ofType(resources, 'AWS::ElasticLoadBalancingV2::TargetGroup')) {
        if (properties.HealthCheckPath !== '/livez') {
            report(name, 'its health check asks /livez: what needs the database would have all tasks replaced without it');
        }
        checkAttributes(name, 'AWS::ElasticLoadBalancingV2::TargetGroup', 'TargetGroupAttributes', properties, report);
    }
    for (const [name, properties] of ofType(resources, 'AWS::ElasticLoadBalancingV2::LoadBalancer')) {
        checkAttributes(name, 'AWS::ElasticLoadBalancingV2::LoadBalancer', 'LoadBalancerAttributes', properties, report);
    }
}

// The keys are text to the schema, but its documentation lists them.
function checkAttributes(name, type, property, properties, report) {
    const documentation = definition(resourceType(type).properties[property].type.element).properties.Key.documentation;
    for (const { Key: key } of properties[property] ?? []) {
        if (!documentation.includes(`\`${key}\``)) {
            report(name, `there is no attribute ${key}`);
        }
    }
}

// ---- containers ----

const SECRET_NAME = /PASSWORD|SECRET|TOKEN|PRIVATE|CREDENTIAL/;
const SECRET_KEY = /^(<[^>]+>|arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:[^:]+):[A-Za-z_]+:[^:]*:[^:]*$/;
const FARGATE_MEMORY = { 256: [512, 1024, 2048], 512: [1024, 2048, 3072, 4096] };

const isOurs = (container) => container.Image.endsWith('@<Digest>');

function checkContainer(path, container, resources, settings, report) {
    if (!/^[1-9][0-9]*(:[1-9][0-9]*)?$/.test(container.User ?? '')) {
        report(path, 'User is a number, and not root\'s');
    }
    if (container.ReadonlyRootFilesystem !== true) {
        report(path, 'ReadonlyRootFilesystem is true');
    }
    if (container.Privileged) {
        report(path, 'it has all rights');
    }
    for (const { Name: name, Value: value } of container.Environment ?? []) {
        if (SECRET_NAME.test(name)) {
            report(path, `${name} can be read by whoever sees the task definition`);
        }
        if (typeof value !== 'string') {
            report(path, `${name} is no text`);
        }
    }
    for (const { Name: name, ValueFrom: from } of container.Secrets ?? []) {
        if (SECRET_NAME.test(name) && !SECRET_KEY.test(from)) {
            report(path, `${name} comes from a secret's ARN and key, with both colons after that: not ${from}`);
        }
    }
    checkSettings(path, container, settings, report);
    const { LogDriver: driver, Options: options = {} } = container.LogConfiguration ?? {};
    const group = resources[String(options['awslogs-group']).slice(1, -1)];
    if (driver !== 'awslogs' || group?.Type !== 'AWS::Logs::LogGroup' || !options['awslogs-region'] || !options['awslogs-stream-prefix']) {
        report(path, 'its log goes to a group of this template, with region and prefix');
    }
}

// Of our image: names that the program knows, each once, and all that it can't do without.
function checkSettings(path, container, settings, report) {
    const names = [...container.Environment ?? [], ...container.Secrets ?? []].map((each) => each.Name);
    for (const name of names.filter((each, index) => names.indexOf(each) !== index)) {
        report(path, `${name} is set twice`);
    }
    if (!isOurs(container)) {
        return;
    }
    for (const name of names.filter((each) => !settings.has(each))) {
        report(path, `the program has no setting ${name}`);
    }
    for (const name of ['MYSQL_HOST', 'MYSQL_USER', 'MYSQL_PASSWORD', 'MYSQL_SSL_MODE', 'MYSQL_SSL_CA']) {
        if (!names.includes(name)) {
            report(path, `${name} is missing`);
        }
    }
    if (container.Environment.find((each) => each.Name === 'MYSQL_SSL_MODE')?.Value !== 'verify-identity') {
        report(path, 'MYSQL_SSL_MODE is verify-identity');
    }
}

// In a task: what one container waits for, and what all of them share.
function checkTask(name, task, resources, settings, report) {
    const containers = task.ContainerDefinitions;
    const onFargate = task.RequiresCompatibilities?.includes('FARGATE');
    for (const container of containers) {
        const path = `${name}/${container.Name}`;
        checkContainer(path, container, resources, settings, report);
        if (!container.LinuxParameters?.Capabilities?.Drop?.includes('ALL')) {
            report(path, 'all capabilities are dropped');
        }
        if (container.DockerSecurityOptions && onFargate) {
            report(path, 'Fargate takes no DockerSecurityOptions');
        }
        if (!onFargate && !container.DockerSecurityOptions?.includes('no-new-privileges')) {
            report(path, 'no-new-privileges');
        }
        if (container.StopTimeout > 120 || container.StartTimeout > 120) {
            report(path, 'Fargate waits for at most 120 s');
        }
        if (isOurs(container) && !(container.StopTimeout > 0)) {
            report(path, 'StopTimeout is missing');
        }
        checkDependencies(path, container, containers, report);
        checkHealthCheck(path, container, report);
    }
    if (task.NetworkMode !== 'awsvpc') {
        report(name, 'NetworkMode is awsvpc');
    }
    if (!containers.some((container) => container.Essential)) {
        report(name, 'no container is essential');
    }
    if (containers.reduce((sum, container) => sum + (container.Memory ?? 0), 0) > task.Memory) {
        report(name, 'its containers may take more memory than it has');
    }
    if (onFargate && !FARGATE_MEMORY[task.Cpu]?.includes(Number(task.Memory))) {
        report(name, `Fargate has no ${task.Memory} MiB with ${task.Cpu} units of a processor`);
    }
}

function checkDependencies(path, container, containers, report) {
    for (const { ContainerName: name, Condition: condition } of container.DependsOn ?? []) {
        const other = containers.find((each) => each.Name === name);
        if (!['START', 'COMPLETE', 'SUCCESS', 'HEALTHY'].includes(condition)) {
            report(path, `there is no condition ${condition}`);
        }
        if (!other) {
            report(path, `it waits for ${name}, which there is not`);
        } else if (['COMPLETE', 'SUCCESS'].includes(condition) && other.Essential !== false) {
            report(path, `it waits for the end of ${name}, which is essential: its end is the task's`);
        } else if (['COMPLETE', 'SUCCESS', 'HEALTHY'].includes(condition) && !(other.StartTimeout > 0)) {
            report(path, `without a StartTimeout of ${name}, the task may wait for ever`);
        }
    }
}

function checkHealthCheck(path, container, report) {
    const check = container.HealthCheck;
    if (!check) {
        if (container.Essential && container.PortMappings) {
            report(path, 'ECS does not look at the image\'s health check: state one');
        }
        return;
    }
    const within = (value, least, most) => value >= least && value <= most;
    if (!within(check.Interval, 5, 300) || !within(check.Timeout, 2, 60) || !within(check.Retries, 1, 10) || !within(check.StartPeriod, 0, 300)) {
        report(path, 'its health check is out of ECS\' bounds');
    }
    if (check.Command[0] !== 'CMD' || !check.Command.includes('--live')) {
        report(path, 'the health check runs the program without a shell, and asks if it lives');
    }
}

function checkServices(resources, report) {
    for (const [name, service] of ofType(resources, 'AWS::ECS::Service')) {
        const task = resources[service.TaskDefinition.slice(1, -1)]?.Properties;
        for (const balancer of service.LoadBalancers ?? []) {
            const container = task?.ContainerDefinitions.find((each) => each.Name === balancer.ContainerName);
            if (!container?.PortMappings?.some((port) => port.ContainerPort === balancer.ContainerPort)) {
                report(name, `the task has no ${balancer.ContainerName} with port ${balancer.ContainerPort}`);
            }
        }
        const { DeploymentCircuitBreaker: breaker, Alarms: alarms, MinimumHealthyPercent: least } = service.DeploymentConfiguration ?? {};
        if (!breaker?.Enable || !breaker.Rollback || !alarms?.Enable || !alarms.Rollback || !(least >= 100)) {
            report(name, 'a deployment that fails is rolled back, and never leaves less than all');
        }
        if (service.LaunchType && service.CapacityProviderStrategy) {
            report(name, 'a launch type or capacity providers');
        }
        if (service.LoadBalancers && !(service.HealthCheckGracePeriodSeconds > 0)) {
            report(name, 'HealthCheckGracePeriodSeconds is missing');
        }
    }
}

// ---- jobs ----

// How Batch goes on after an exit status: the first entry that fits; without one, it tries again.
export function afterExit(strategy, status) {
    const fits = (glob, text) => new RegExp(`^${glob.replace(/[.()[\]+?^$|\\]/g, '\\$&').replace(/\*/g, '.*')}$`).test(text);
    const entry = strategy.EvaluateOnExit.find((each) => (each.OnExitCode === undefined || fits(each.OnExitCode, String(status)))
        && (each.OnReason === undefined || fits(each.OnReason, 'Essential container in task exited')));
    return entry?.Action ?? 'RETRY';
}

function checkJobs(resources, settings, statuses, report) {
    for (const [name, job] of ofType(resources, 'AWS::Batch::JobDefinition')) {
        checkContainer(name, job.ContainerProperties, resources, settings, report);
        if (!(job.Timeout?.AttemptDurationSeconds >= 60)) {
            report(name, 'a job without a time limit');
        }
        if (!(job.RetryStrategy?.EvaluateOnExit?.length <= 5)) {
            report(name, 'EvaluateOnExit has at most five entries');
            continue;
        }
        for (const status of statuses) {
            const wanted = status === 11 || status === 12 ? 'RETRY' : 'EXIT';
            if (afterExit(job.RetryStrategy, status) !== wanted) {
                report(name, `after exit status ${status}, Batch does not ${wanted}`);
            }
        }
    }
}

// ---- pipelines ----

function checkPipelines(resources, exported, report) {
    for (const [name, pipeline] of ofType(resources, 'AWS::CodePipeline::Pipeline')) {
        const artifacts = new Set();
        const namespaces = new Set();
        for (const action of pipeline.Stages.flatMap((stage) => stage.Actions)) {
            const path = `${name}/${action.Name}`;
            for (const { Name: artifact } of action.InputArtifacts ?? []) {
                if (!artifacts.has(artifact)) {
                    report(path, `no action before makes ${artifact}`);
                }
            }
            for (const [, namespace, variable] of JSON.stringify(action.Configuration).matchAll(/#\{(\w+)\.(\w+)\}/g)) {
                if (!namespaces.has(namespace) || !exported.includes(variable)) {
                    report(path, `no action before has ${namespace}.${variable}`);
                }
            }
            (action.OutputArtifacts ?? []).forEach((artifact) => artifacts.add(artifact.Name));
            namespaces.add(action.Namespace);
        }
        if (pipeline.PipelineType !== 'V2' || pipeline.Stages.at(-1).OnFailure?.Result !== 'ROLLBACK') {
            report(name, 'a pipeline V2, whose last stage goes back when it fails');
        }
    }
}

// `about`: settings, a set of the program's; statuses, its exit statuses; exported, what the buildspec exports.
export function checkRules(resources, about) {
    const findings = [];
    const report = (path, message) => findings.push(`${path}: ${message}`);
    checkData(resources, report);
    checkNetwork(resources, report);
    for (const [name, task] of ofType(resources, 'AWS::ECS::TaskDefinition')) {
        checkTask(name, task, resources, about.settings, report);
    }
    checkServices(resources, report);
    checkJobs(resources, about.settings, about.statuses, report);
    checkPipelines(resources, about.exported, report);
    return findings;
}
