import {
  duration, integer, list, logLevel, oneOf, pairs, readEnv, text, url, type EnvReader, type Variables,
} from '../env.ts'; // prettier-ignore

/** Images of the built-in skills: told as `kubectl=<image>,git=<image>`, else named after the runtime image. */
function skillImages(env: EnvReader): { readonly kubectl: string; readonly git: string } {
  const runtime = env.optional('RUNTIME_IMAGE', text) ?? '';
  const told = env.optional('SKILL_IMAGES', pairs) ?? {};
  const beside = (name: string) => told[name] ?? runtime.replace(/(:[^:/]+)?$/, (tag) => `-${name}${tag}`);
  return { kubectl: beside('kubectl'), git: beside('git') };
}

/** Everything the controller is told by its environment. */
export type ControllerEnv = ReturnType<typeof controllerEnv>;

/** @throws ConfigError with everything that is wrong */
export const controllerEnv = (variables: Variables) =>
  readEnv(variables, (env) => ({
    logLevel: logLevel(env),
    namespace: env.read('POD_NAMESPACE', text),
    podName: env.optional('POD_NAME', text),
    busUrl: env.read('BUS_URL', url('nats', 'tls')),
    /** How many servers of NATS keep each message. */
    busReplicas: env.read('BUS_REPLICAS', integer(1, 5), '1'),
    gatewayUrl: env.read('GATEWAY_URL', url('http', 'https')),
    gatewayTokenFile: env.read('GATEWAY_TOKEN_FILE', text, '/var/run/secrets/sympozium/gateway'),
    runtimeImage: env.read('RUNTIME_IMAGE', text),
    skillImages: skillImages(env),
    imagePullPolicy: env.read('IMAGE_PULL_POLICY', oneOf(['Always', 'IfNotPresent', 'Never']), 'IfNotPresent'),
    /** Left out: DNS Pods of any namespace. */
    dnsNamespace: env.optional('DNS_NAMESPACE', text),
    /** Addresses of a DNS that doesn't run in Pods. */
    dnsAddresses: env.optional('DNS_ADDRESSES', list) ?? [],
    retention: {
      ageMs: env.read('RETENTION_AGE', duration, '168h'),
      runsPerInstance: env.read('RETENTION_RUNS', integer(1, 100_000), '100'),
    },
  }));
