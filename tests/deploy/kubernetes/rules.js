// What holds between and within the objects and no schema says. Each rule gives what is wrong, a line each.

const byKind = (objects, kind) => objects.filter((object) => object.kind === kind);
const only = (objects, kind) => byKind(objects, kind)[0];
const same = (one, other) => JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
const selects = (selector, labels) => Object.entries(selector).every(([key, value]) => labels[key] === value);
const wrong = (is, text) => (is ? [text] : []);

const workloads = (objects) => objects.filter((object) => object.spec?.template?.spec?.containers);
const pod = (workload) => workload.spec.template;
const containers = (workload) => [...(pod(workload).spec.initContainers ?? []), ...pod(workload).spec.containers];
const app = (objects) => pod(only(objects, 'Deployment')).spec.containers[0];

function names(objects) {
    const seen = new Set();
    return objects.flatMap(({ kind, metadata: { name, namespace } }) => {
        const key = `${kind} ${namespace} ${name}`;
        const twice = seen.has(key);
        seen.add(key);
        return [
            ...wrong(!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name), `${kind} ${name}: no name`),
            ...wrong(twice, `${key}: twice`),
            ...wrong(kind !== 'Namespace' && !byKind(objects, 'Namespace').some((space) => space.metadata.name === namespace),
                `${kind} ${name}: there is no namespace ${namespace}`),
        ];
    });
}

function ports(objects) {
    return workloads(objects).flatMap(containers).flatMap((container) => (container.ports ?? []).flatMap(({ name, containerPort }) => [
        ...wrong(!(containerPort > 0 && containerPort < 65536), `port ${containerPort}: out of range`),
        ...wrong(!/^(?=.*[a-z])[a-z0-9-]{1,15}$/.test(name), `port ${name}: no name`),
    ]));
}

// https://kubernetes.io/docs/concepts/security/pod-security-standards/, "restricted", as its controls are listed there.
const VOLUMES = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'];

function restrictedPod(workload) {
    const { spec } = pod(workload);
    const say = (is, text) => wrong(is, `${workload.kind} ${workload.metadata.name}: restricted: ${text}`);
    return [
        ...say(spec.hostNetwork || spec.hostPID || spec.hostIPC, 'a namespace of the node'),
        ...say((spec.volumes ?? []).some((volume) => !VOLUMES.some((kind) => kind in volume)), 'a volume of the node'),
        ...say((spec.securityContext?.sysctls ?? []).length > 0, 'sysctls'),
        ...containers(workload).flatMap((container) => {
            const context = { ...spec.securityContext, ...container.securityContext };
            const { drop = [], add = [] } = context.capabilities ?? {};
            return [
                ...say(context.privileged, 'privileged'),
                ...say((container.ports ?? []).some((port) => port.hostPort), 'a port of the node'),
                ...say(context.runAsNonRoot !== true || context.runAsUser === 0, 'may be root'),
                ...say(context.seccompProfile?.type !== 'RuntimeDefault', 'no seccomp profile'),
                ...say(context.allowPrivilegeEscalation !== false, 'may get privileges'),
                ...say(!drop.includes('ALL') || add.some((name) => name !== 'NET_BIND_SERVICE'), 'capabilities'),
                ...say('procMount' in context || 'seLinuxOptions' in context, 'procMount or SELinux'),
            ];
        }),
    ];
}

// Beyond that profile.
function hardenedPod(workload) {
    const { spec } = pod(workload);
    const say = (is, text) => wrong(is, `${workload.kind} ${workload.metadata.name}: ${text}`);
    return [
        ...say(spec.automountServiceAccountToken !== false, 'has a token of the API'),
        ...say(spec.enableServiceLinks !== false, 'Services set variables'),
        ...containers(workload).flatMap(({ image, resources, securityContext }) => [
            ...say(securityContext?.readOnlyRootFilesystem !== true, 'its file system can be written'),
            ...say(!/:[^:/]+$/.test(image) || image.endsWith(':latest'), `${image}: no version`),
            ...say(resources?.limits?.memory !== resources?.requests?.memory || !resources?.limits?.memory, 'memory is not reserved as limited'),
            ...say(!resources?.requests?.cpu, 'no CPU is reserved'),
        ]),
    ];
}

function security(objects) {
    const level = only(objects, 'Namespace').metadata.labels?.['pod-security.kubernetes.io/enforce'];
    return [...wrong(level !== 'restricted', 'Namespace: does not enforce "restricted"'),
        ...workloads(objects).flatMap((workload) => [...restrictedPod(workload), ...hardenedPod(workload)])];
}

function selectors(objects) {
    const deployment = only(objects, 'Deployment');
    const server = pod(deployment).metadata.labels;
    const others = workloads(objects).filter((workload) => workload !== deployment).map((workload) => pod(workload).metadata.labels);
    const exact = (selector, what) => [
        ...wrong(!selects(selector, server), `${what}: selects no pod of the Deployment`),
        ...wrong(others.some((labels) => selects(selector, labels)), `${what}: selects pods that don't serve`),
    ];
    const { podSelector } = only(objects, 'NetworkPolicy').spec;
    const { scaleTargetRef } = only(objects, 'HorizontalPodAutoscaler').spec;
    return [
        ...exact(deployment.spec.selector.matchLabels, 'Deployment'),
        ...exact(only(objects, 'Service').spec.selector, 'Service'),
        ...exact(only(objects, 'PodDisruptionBudget').spec.selector.matchLabels, 'PodDisruptionBudget'),
        ...pod(deployment).spec.topologySpreadConstraints.flatMap((spread) => exact(spread.labelSelector.matchLabels, 'topologySpreadConstraints')),
        ...wrong(![server, ...others].every((labels) => selects(podSelector.matchLabels, labels)), 'NetworkPolicy: leaves pods out'),
        ...wrong(scaleTargetRef.name !== deployment.metadata.name || scaleTargetRef.kind !== 'Deployment'
            || scaleTargetRef.apiVersion !== deployment.apiVersion, 'HorizontalPodAutoscaler: scales what is not there'),
    ];
}

function traffic(objects, { settings }) {
    const service = only(objects, 'Service');
    const named = new Set(app(objects).ports.map((port) => port.name));
    const policy = only(objects, 'NetworkPolicy').spec;
    const open = policy.ingress.filter((rule) => !rule.from).flatMap((rule) => rule.ports.map((port) => port.port));
    const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => app(objects)[name]?.httpGet.port);
    const paths = only(objects, 'Ingress').spec.rules.flatMap((rule) => rule.http.paths);
    const hosts = only(objects, 'Ingress').spec.rules.map((rule) => rule.host);
    return [
        ...service.spec.ports.flatMap(({ targetPort }) => [
            ...wrong(!named.has(targetPort), `Service: no port ${targetPort} in the pods`),
            ...wrong(!open.includes(targetPort), `NetworkPolicy: the Service's port ${targetPort} is closed`),
        ]),
        ...policy.ingress.flatMap((rule) => rule.ports).flatMap(({ port }) => wrong(!named.has(port), `NetworkPolicy: no port ${port} in the pods`)),
        ...wrong(open.includes('admin'), 'NetworkPolicy: the admin port is open to all'),
        ...wrong(!policy.egress.some((rule) => rule.ports.some(({ port }) => String(port) === settings.MYSQL_PORT)), 'NetworkPolicy: the database is out of reach'),
        ...wrong(!policy.egress.some((rule) => rule.ports.some(({ port, protocol }) => port === 53 && protocol === 'UDP')), 'NetworkPolicy: names are out of reach'),
        ...probes.flatMap((port) => wrong(port !== 'admin' || !named.has(port), `a probe at port ${port}`)),
        ...paths.flatMap(({ backend: { service: { name, port } } }) => wrong(name !== service.metadata.name
            || !service.spec.ports.some((each) => each.name === port.name), `Ingress: no port ${port.name} of a Service ${name}`)),
        ...hosts.flatMap((host) => wrong(!settings.ALLOWED_HOSTS.split(/[ ,]+/).includes(host), `Ingress: ${host} is not in ALLOWED_HOSTS`)),
    ];
}

// A Secret is none of the objects: the README says how to make it.
function references(objects, { readme }) {
    return workloads(objects).flatMap((workload) => {
        const { spec } = pod(workload);
        const mounts = spec.containers.flatMap((container) => container.volumeMounts ?? []);
        return [
            ...spec.containers.flatMap((container) => container.envFrom ?? []).flatMap(({ configMapRef }) => wrong(
                !byKind(objects, 'ConfigMap').some((map) => map.metadata.name === configMapRef?.name), `${workload.kind}: no ConfigMap ${configMapRef?.name}`)),
            ...spec.volumes.flatMap(({ secret }) => wrong(!readme.includes(`create secret generic ${secret?.secretName} `), `${workload.kind}: no Secret ${secret?.secretName}`)),
            ...mounts.flatMap(({ name, mountPath, readOnly }) => [
                ...wrong(!spec.volumes.some((volume) => volume.name === name), `${workload.kind}: no volume ${name}`),
                ...wrong(mountPath !== '/run/secrets' || !readOnly, `${workload.kind}: secrets at ${mountPath}`),
            ]),
            ...wrong(mounts.length === 0, `${workload.kind}: no secrets`),
        ];
    });
}

function lifeCycle(objects, { settings, numbers }) {
    const { spec } = only(objects, 'Deployment');
    const { startupProbe, livenessProbe, readinessProbe } = app(objects);
    const { rollingUpdate } = spec.strategy;
    const grace = pod(only(objects, 'Deployment')).spec.terminationGracePeriodSeconds;
    return [
        ...wrong(rollingUpdate?.maxUnavailable !== 0 || !(rollingUpdate?.maxSurge > 0), 'Deployment: an update takes a pod away first'),
        ...wrong(!(grace >= Number(settings.STOP_DELAY) + Number(settings.STOP_TIMEOUT) + 5), `Deployment: ${grace} s are too few to stop`),
        ...wrong(livenessProbe?.httpGet.path !== '/livez', 'livenessProbe: not /livez'),
        ...wrong(readinessProbe?.httpGet.path !== '/readyz', 'readinessProbe: not /readyz'),
        ...wrong(startupProbe?.httpGet.path !== '/livez', 'startupProbe: not /livez'),
        ...wrong(!(startupProbe?.periodSeconds * startupProbe?.failureThreshold >= numbers.start_period), 'startupProbe: ends before DB_WAIT and some'),
        ...wrong(!(only(objects, 'HorizontalPodAutoscaler').spec.minReplicas >= 2), 'HorizontalPodAutoscaler: one pod is not enough'),
        ...wrong('replicas' in spec, 'Deployment: replicas are the HorizontalPodAutoscaler\'s'),
    ];
}

function migration(objects, { exitStatuses }) {
    const job = only(objects, 'Job');
    const container = pod(job).spec.containers[0];
    const given = job.spec.podFailurePolicy?.rules.flatMap((rule) => rule.onExitCodes?.values ?? []) ?? [];
    return [
        ...wrong(container.args[0] !== 'migrate', 'Job: does not migrate'),
        ...wrong(app(objects).args[0] !== 'serve', 'Deployment: does not serve'),
        ...wrong(container.image !== app(objects).image, 'Job: another image than the Deployment\'s'),
        ...wrong(!same(container.envFrom, app(objects).envFrom), 'Job: other settings than the Deployment\'s'),
        ...wrong(pod(job).spec.restartPolicy !== 'Never', 'Job: its failed pods are gone'),
        ...wrong(job.spec.podFailurePolicy?.rules.some((rule) => rule.onExitCodes?.containerName !== container.name), 'Job: a rule for another container'),
        ...given.flatMap((status) => wrong(!exitStatuses.includes(status), `Job: the program has no exit status ${status}`)),
        ...wrong(given.includes(11) || given.includes(12), 'Job: gives up where another try may help'),
        ...wrong(!given.includes(2) || !given.includes(14), 'Job: tries again what can only fail'),
    ];
}

export const rules = [names, ports, security, selectors, traffic, references, lifeCycle, migration];
