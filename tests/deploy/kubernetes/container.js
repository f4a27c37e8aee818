// What kubelet would make of a workload's pod, as arguments of `docker run`, a line each:
//
//     node container.js FOLDER KIND IMAGE SECRETS [NAME=VALUE...]
//
// with another image, the folder SECRETS as its Secret, and settings of the ConfigMap replaced.
import { expand } from './expand.js';

const [folder, kind, image, secrets, ...replaced] = process.argv.slice(2);
const objects = expand(folder);
const { spec } = objects.find((object) => object.kind === kind).spec.template;
const [container, ...others] = spec.containers;
const { name } = container.envFrom[0].configMapRef;
const settings = objects.find((object) => object.metadata.name === name).data;
const context = { ...spec.securityContext, ...container.securityContext };
if (others.length > 0 || container.env || container.command || spec.initContainers) throw new Error('more than is known here');

const lines = [
    '--user', `${context.runAsUser}:${context.runAsGroup}`,
    ...(context.fsGroup ? ['--group-add', `${context.fsGroup}`] : []),
    ...(context.readOnlyRootFilesystem ? ['--read-only'] : []),
    ...(context.allowPrivilegeEscalation === false ? ['--security-opt', 'no-new-privileges'] : []),
    ...context.capabilities.drop.flatMap((capability) => ['--cap-drop', capability]),
    '--memory', container.resources.limits.memory.replace('Mi', 'm'),
    '--stop-timeout', `${spec.terminationGracePeriodSeconds ?? 30}`,
    ...Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...replaced.flatMap((setting) => ['--env', setting]),
    ...container.volumeMounts.flatMap(({ mountPath }) => ['--volume', `${secrets}:${mountPath}:ro`]),
    '--no-healthcheck',
    image,
    ...container.args,
];
console.log(lines.join('\n'));
