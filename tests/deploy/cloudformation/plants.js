// Errors that check-cloudformation has to find: one of each kind, made in a template by `edit`, or in its text by
// `text` (what String.replace takes); `found` is what is said of it.

const service = 'service.yml';
const data = 'data.yml';
const batch = 'batch.yml';
const pipeline = 'pipeline.yml';
const properties = (template, name) => template.Resources[name].Properties;
const container = (template, name) => properties(template, 'Task').ContainerDefinitions.find((each) => each.Name === name);
const statements = (template, role) => properties(template, role).Policies[0].PolicyDocument.Statement;

export const plants = [
    // ---- the text ----
    { kind: 'an alias', file: batch, text: ['Subnets: !Ref Subnets', 'Subnets: &x !Ref Subnets\n        Tags: *x'], found: /an alias/ },
    { kind: 'a name twice', file: batch, text: ['  Queue:\n', '  Log: {Type: "AWS::Logs::LogGroup"}\n  Queue:\n'], found: /unique/ },
    { kind: 'a yes without quotes', file: service, text: ['XRay: {Type: String, Default: "no"', 'XRay: {Type: String, Default: no'], found: /YAML 1.1|none of no/ },
    { kind: 'a function that there is not', file: batch, text: ['!Ref Subnets', '!Reference Subnets'], found: /Unresolved tag|Reference/ },
    { kind: 'more text than the command line takes', file: batch, text: [/$/, `# ${'x'.repeat(51200)}\n`], found: /51,200/ },

    // ---- the schema ----
    { kind: 'a section', file: batch, edit: (t) => { t.Resource = {}; }, found: /no such section/ },
    { kind: 'a resource type', file: service, edit: (t) => { t.Resources.Cluster.Type = 'AWS::ECS::Clusters'; }, found: /no type/ },
    { kind: 'a property', file: service, edit: (t) => { properties(t, 'Service').DesireCount = 2; }, found: /no property DesireCount/ },
    { kind: 'a property deep within', file: service, edit: (t) => { container(t, 'app').HealthCheck.Intervall = 5; }, found: /no property Intervall/ },
    { kind: 'a missing property', file: service, edit: (t) => { delete properties(t, 'Service').DeploymentConfiguration.DeploymentCircuitBreaker.Rollback; }, found: /needs Rollback/ },
    { kind: 'a value', file: service, edit: (t) => { properties(t, 'Service').AvailabilityZoneRebalancing = 'ON'; }, found: /ON is none of/ },
    { kind: 'a value that a parameter allows', file: service, edit: (t) => { properties(t, 'Service').PropagateTags = { Ref: 'Capacity' }; }, found: /FARGATE is none of/ },
    { kind: 'a word for a number', file: service, edit: (t) => { properties(t, 'Service').HealthCheckGracePeriodSeconds = '60s'; }, found: /a number is expected/ },
    { kind: 'a word for a truth', file: data, edit: (t) => { properties(t, 'Database').StorageEncrypted = 'yes'; }, found: /true or false/ },
    { kind: 'a text for a list', file: service, edit: (t) => { properties(t, 'Balancer').SecurityGroups = { Ref: 'BalancerGroup' }; }, found: /a list is expected/ },
    { kind: 'a list for a text', file: service, edit: (t) => { properties(t, 'Targets').VpcId = { Ref: 'TaskSubnets' }; }, found: /a list where/ },
    { kind: 'a text parameter for a number', file: service, edit: (t) => { properties(t, 'Service').DesiredCount = { Ref: 'Capacity' }; }, found: /no parameter of type Number/ },
    { kind: 'a text for an object', file: service, edit: (t) => { container(t, 'app').HealthCheck = '/app healthcheck'; }, found: /an object is expected/ },
    { kind: 'an empty value', file: batch, edit: (t) => { properties(t, 'Queue').Priority = null; }, found: /empty/ },
    { kind: 'Ref to nothing', file: service, edit: (t) => { properties(t, 'Service').Cluster = { Ref: 'Clutser' }; }, found: /no parameter or resource Clutser/ },
    { kind: 'GetAtt of nothing', file: service, edit: (t) => { properties(t, 'Task').ExecutionRoleArn = { 'Fn::GetAtt': ['Role', 'Arn'] }; }, found: /no resource Role/ },
    { kind: 'an attribute that there is not', file: service, edit: (t) => { properties(t, 'Task').ExecutionRoleArn = { 'Fn::GetAtt': ['ExecutionRole', 'ARN'] }; }, found: /no attribute ARN/ },
    { kind: 'Sub of nothing', file: pipeline, edit: (t) => { properties(t, 'Build').Name = { 'Fn::Sub': '${AWS::Stack}-build' }; }, found: /no parameter or resource AWS::Stack/ },
    { kind: 'Sub of an attribute that there is not', file: data, edit: (t) => { t.Outputs.Host.Value = { 'Fn::Sub': '${Database.Endpoint.Adress}' }; }, found: /no attribute Endpoint.Adress/ },
    { kind: 'Sub without need', file: pipeline, edit: (t) => { properties(t, 'Build').Name = { 'Fn::Sub': 'build' }; }, found: /nothing to substitute/ },
    { kind: 'an import that nobody exports', file: service, edit: (t) => { container(t, 'app').Environment[0].Value = { 'Fn::ImportValue': { 'Fn::Sub': '${DataStack}-Hostname' } }; }, found: /no template exports/ },
    { kind: 'DependsOn nothing', file: service, edit: (t) => { t.Resources.Service.DependsOn.push('Listeners'); }, found: /DependsOn names Listeners/ },
    { kind: 'a condition that there is not', file: service, edit: (t) => { t.Resources.Machines.Condition = 'OnEc2'; }, found: /no condition OnEc2/ },
    { kind: 'what is there only on a condition', file: service, edit: (t) => { properties(t, 'Task').TaskRoleArn = { 'Fn::GetAtt': ['TraceRole', 'Arn'] }; }, found: /there only if WithXRay/ },
    { kind: 'a mapping\'s key', file: pipeline, edit: (t) => { properties(t, 'Build').Environment.Image['Fn::FindInMap'][2] = 'Picture'; }, found: /has no Picture/ },
    { kind: 'a parameter that is not used', file: batch, edit: (t) => { t.Parameters.Unused = { Type: 'String' }; }, found: /Unused is not used/ },
    { kind: 'a condition that is not used', file: service, edit: (t) => { t.Conditions.Unused = { 'Fn::Equals': [{ Ref: 'XRay' }, 'no'] }; }, found: /Unused is not used/ },
    { kind: 'a default that is not allowed', file: service, edit: (t) => { t.Parameters.Capacity.Default = 'Fargate'; }, found: /its default is none of/ },
    { kind: 'a circle', file: service, edit: (t) => { t.Resources.Cluster.DependsOn = 'Service'; }, found: /a circle/ },
    { kind: 'a circle of groups', file: service, edit: (t) => { properties(t, 'BalancerGroup').SecurityGroupEgress = [{ IpProtocol: 'tcp', DestinationSecurityGroupId: { Ref: 'TaskGroup' } }];
        properties(t, 'TaskGroup').SecurityGroupIngress = [{ IpProtocol: 'tcp', SourceSecurityGroupId: { Ref: 'BalancerGroup' } }]; }, found: /a circle/ },
    { kind: 'a deletion policy', file: data, edit: (t) => { t.Resources.Database.DeletionPolicy = 'Keep'; }, found: /DeletionPolicy is none of/ },

    // ---- policies ----
    { kind: 'an action that there is not', file: service, edit: (t) => { statements(t, 'ExecutionRole')[2].Action = 'secretsmanager:GetSecret'; }, found: /no action secretsmanager:GetSecret/ },
    { kind: 'all actions', file: service, edit: (t) => { statements(t, 'ExecutionRole')[2].Action = 'secretsmanager:*'; }, found: /is not a name/ },
    { kind: 'all resources', file: service, edit: (t) => { statements(t, 'ExecutionRole')[2].Resource = '*'; }, found: /takes resources/ },
    { kind: 'a resource of another kind', file: service, edit: (t) => { statements(t, 'ExecutionRole')[2].Resource = { 'Fn::GetAtt': ['Log', 'Arn'] }; }, found: /takes none of these resources/ },
    { kind: 'a resource for an action that takes none', file: service, edit: (t) => { statements(t, 'ExecutionRole')[0].Resource = { 'Fn::GetAtt': ['Log', 'Arn'] }; }, found: /takes no resource but/ },
    { kind: 'a log\'s streams with one colon too many', file: service, edit: (t) => { statements(t, 'ExecutionRole')[4].Resource = { 'Fn::Sub': '${Log.Arn}:log-stream:*' }; }, found: /takes none of these/ },
    { kind: 'a condition that the action has not', file: pipeline, edit: (t) => { statements(t, 'StackRole').at(-1).Condition = { StringEquals: { 'iam:PassToService': 'x' } }; }, found: /no condition iam:PassToService/ },
    { kind: 'a role that the other stack has not', file: pipeline, text: ['${ServiceStack}-TraceRole-*', '${ServiceStack}-TracingRole-*'], found: /no role TracingRole in service.yml/ },
    { kind: 'everybody is trusted', file: service, edit: (t) => { properties(t, 'ExecutionRole').AssumeRolePolicyDocument.Statement[0].Principal = '*'; }, found: /everybody is trusted/ },
    { kind: 'a policy\'s version', file: service, edit: (t) => { properties(t, 'ExecutionRole').Policies[0].PolicyDocument.Version = '2012-10-18'; }, found: /Version is/ },

    // ---- data ----
    { kind: 'a database that goes with its stack', file: data, edit: (t) => { delete t.Resources.Database.DeletionPolicy; }, found: /DeletionPolicy and UpdateReplacePolicy are Snapshot/ },
    { kind: 'a database without encryption', file: data, edit: (t) => { properties(t, 'Database').StorageEncrypted = false; }, found: /StorageEncrypted is true/ },
    { kind: 'TLS as one likes', file: data, edit: (t) => { delete properties(t, 'ParameterGroup').Parameters.require_secure_transport; }, found: /require_secure_transport/ },
    { kind: 'a password in the template', file: data, edit: (t) => { properties(t, 'Database').MasterUserPassword = 'password'; }, found: /a password in a template/ },
    { kind: 'few backups', file: data, edit: (t) => { t.Parameters.BackupDays.Default = 7; properties(t, 'Database').BackupRetentionPeriod = 1; delete t.Parameters.BackupDays; }, found: /at least 7/ },
    { kind: 'a log for ever', file: service, edit: (t) => { delete t.Resources.Log.Properties; delete t.Parameters.LogDays; }, found: /kept for ever/ },
    { kind: 'tags that move', file: pipeline, edit: (t) => { properties(t, 'Images').ImageTagMutability = 'MUTABLE'; }, found: /ImageTagMutability is IMMUTABLE/ },
    { kind: 'images that nobody scans', file: pipeline, edit: (t) => { delete properties(t, 'Images').ImageScanningConfiguration; }, found: /scanned/ },
    { kind: 'a bucket that is open', file: pipeline, edit: (t) => { properties(t, 'Artifacts').PublicAccessBlockConfiguration.BlockPublicPolicy = false; }, found: /closed to the public/ },

    // ---- network ----
    { kind: 'a port for everybody', file: data, edit: (t) => { properties(t, 'DatabaseGroup').SecurityGroupIngress.push({ IpProtocol: 'tcp', FromPort: 3306, ToPort: 3306, CidrIp: '0.0.0.0/0' }); }, found: /open to everybody/ },
    { kind: 'a balancer that asks for the database', file: service, edit: (t) => { properties(t, 'Targets').HealthCheckPath = '/readyz'; }, found: /asks \/livez/ },
    { kind: 'a balancer\'s attribute', file: service, edit: (t) => { properties(t, 'Balancer').LoadBalancerAttributes[0].Key = 'idle_timeout.seconds'; }, found: /no attribute idle_timeout.seconds/ },

    // ---- containers ----
    { kind: 'root', file: service, edit: (t) => { container(t, 'app').User = '0:0'; }, found: /User is a number/ },
    { kind: 'no user', file: batch, edit: (t) => { delete properties(t, 'Migrate').ContainerProperties.User; }, found: /User is a number/ },
    { kind: 'a root folder that can be written', file: service, edit: (t) => { container(t, 'migrate').ReadonlyRootFilesystem = false; }, found: /ReadonlyRootFilesystem/ },
    { kind: 'capabilities', file: service, edit: (t) => { delete container(t, 'app').LinuxParameters; }, found: /capabilities are dropped/ },
    { kind: 'new privileges on EC2', file: service, edit: (t) => { delete container(t, 'app').DockerSecurityOptions; }, found: /no-new-privileges/ },
    { kind: 'what Fargate does not take', file: service, edit: (t) => { container(t, 'app').DockerSecurityOptions = ['no-new-privileges']; }, found: /Fargate takes no DockerSecurityOptions/ },
    { kind: 'a plain secret', file: service, edit: (t) => { container(t, 'app').Environment.push({ Name: 'MYSQL_PASSWORD', Value: 'password' }); }, found: /can be read by whoever/ },
    { kind: 'a secret without its key', file: service, edit: (t) => { container(t, 'app').Secrets[1].ValueFrom = { 'Fn::ImportValue': { 'Fn::Sub': '${DataStack}-User' } }; }, found: /both colons/ },
    { kind: 'a colon too few', file: batch, edit: (t) => { properties(t, 'Migrate').ContainerProperties.Secrets[1].ValueFrom['Fn::Sub'][0] = '${User}:password:'; }, found: /both colons/ },
    { kind: 'a setting that there is not', file: service, edit: (t) => { container(t, 'app').Environment[0].Name = 'DATABASE_HOST'; }, found: /no setting DATABASE_HOST/ },
    { kind: 'a database that is not verified', file: batch, edit: (t) => { properties(t, 'Migrate').ContainerProperties.Environment[1].Value = 'required'; }, found: /verify-identity/ },
    { kind: 'no log', file: service, edit: (t) => { delete container(t, 'app').LogConfiguration; }, found: /its log goes/ },
    { kind: 'no health check', file: service, edit: (t) => { delete container(t, 'app').HealthCheck; }, found: /state one/ },
    { kind: 'a health check that needs the database', file: service, edit: (t) => { container(t, 'app').HealthCheck.Command.pop(); }, found: /asks if it lives/ },
    { kind: 'a health check too often', file: service, edit: (t) => { container(t, 'app').HealthCheck.Interval = 3; }, found: /ECS' bounds/ },
    { kind: 'to wait for what there is not', file: service, edit: (t) => { container(t, 'app').DependsOn[0].ContainerName = 'migration'; }, found: /which there is not/ },
    { kind: 'to wait for the end of what is essential', file: service, edit: (t) => { container(t, 'migrate').Essential = true; }, found: /which is essential/ },
    { kind: 'to wait for ever', file: service, edit: (t) => { delete container(t, 'migrate').StartTimeout; }, found: /wait for ever/ },
    { kind: 'more memory than there is', file: service, edit: (t) => { container(t, 'app').Memory = 512; }, found: /more memory/ },
    { kind: 'a size that Fargate has not', file: service, edit: (t) => { properties(t, 'Task').Memory = 768; }, found: /Fargate has no 768/ },
    { kind: 'longer than Fargate waits', file: service, edit: (t) => { container(t, 'app').StopTimeout = 300; }, found: /at most 120/ },
    { kind: 'a port that no container has', file: service, edit: (t) => { properties(t, 'Service').LoadBalancers[0].ContainerPort = 8080; }, found: /no app with port 8080/ },
    { kind: 'a deployment that is not rolled back', file: service, edit: (t) => { properties(t, 'Service').DeploymentConfiguration.DeploymentCircuitBreaker.Rollback = false; }, found: /rolled back/ },

    // ---- jobs and pipelines ----
    { kind: 'to try again what needs a person', file: batch, edit: (t) => { properties(t, 'Migrate').RetryStrategy.EvaluateOnExit[0].OnExitCode = '1*'; }, found: /after exit status 14/ },
    { kind: 'nothing at the end, which is to try again', file: batch, edit: (t) => { properties(t, 'Migrate').RetryStrategy.EvaluateOnExit.pop(); }, found: /after exit status 1,/ },
    { kind: 'not to try again what may help', file: batch, edit: (t) => { properties(t, 'Migrate').RetryStrategy.EvaluateOnExit.splice(1, 1); }, found: /after exit status 12/ },
    { kind: 'more rules than Batch takes', file: batch, edit: (t) => { properties(t, 'Migrate').RetryStrategy.EvaluateOnExit.unshift({ Action: 'RETRY', OnReason: 'x' }); }, found: /at most five/ },
    { kind: 'a job without a time limit', file: batch, edit: (t) => { delete properties(t, 'Migrate').Timeout; delete t.Parameters.TimeLimit; }, found: /time limit/ },
    { kind: 'an artifact that nobody makes', file: pipeline, edit: (t) => { properties(t, 'Pipeline').Stages[2].Actions[0].InputArtifacts[0].Name = 'build'; }, found: /no action before makes build/ },
    { kind: 'a variable that nobody exports', file: pipeline, edit: (t) => { properties(t, 'Pipeline').Stages[2].Actions[0].Configuration.EnvironmentVariables = '#{Build.IMAGE}'; }, found: /no action before has Build.IMAGE/ },
    { kind: 'a pipeline that does not go back', file: pipeline, edit: (t) => { delete properties(t, 'Pipeline').Stages[2].OnFailure; }, found: /goes back/ },
];
