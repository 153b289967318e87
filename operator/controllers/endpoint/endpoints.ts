import { LABELS } from '../../../lib/api/group.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { Verdict } from '../../../lib/policy/decide.ts';
import { isKubeError } from '../../kube/errors.ts';
import { keyFor, keyOf, type KubeApi, type KubeObject, type Resource } from '../../kube/port.ts';
import type { Cache } from '../../kube/reflector.ts';
import {
  DEPLOYMENTS, NETWORK_POLICIES, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS, SERVICES,
} from '../../kube/resources.ts'; // prettier-ignore
import type { Caches } from '../caches.ts';
import type { Observation } from '../conditions.ts';
import { createSecret, endpointConfig, wantsEndpoint, webName, type EndpointConfig, type Problem } from './config.ts';
import { contains } from './contains.ts';
import { endpointObjects, type EndpointSettings } from './desired.ts';

/** The local copies that are looked at. */
export type EndpointCaches = Pick<
  Caches,
  | 'endpointAccounts'
  | 'endpointRoles'
  | 'endpointBindings'
  | 'endpointServices'
  | 'endpointDeployments'
  | 'networkPolicies'
>;

/** What is known of an instance's endpoint, and when to look again though nothing changes. */
export interface EndpointState {
  readonly observations: readonly Observation[];
  /** `Infinity`: not before something changes. */
  readonly requeueAfterMs: number;
}

/** One kind of an endpoint's objects, with its local copy. */
interface Kind {
  readonly resource: Resource<KubeObject>;
  readonly cache: Cache<KubeObject>;
}

/** Keeps the web endpoints of instances: makes what is missing, puts right what differs, removes what is not wanted. */
export class Endpoints {
  readonly #kube: Pick<KubeApi, 'get' | 'apply' | 'create' | 'delete'>;
  readonly #settings: EndpointSettings;
  readonly #deployments: EndpointCaches['endpointDeployments'];
  /** In the order in which they are made. */
  readonly #kinds: Readonly<Record<keyof ReturnType<typeof endpointObjects>, Kind>>;

  constructor(
    kube: Pick<KubeApi, 'get' | 'apply' | 'create' | 'delete'>,
    caches: EndpointCaches,
    settings: EndpointSettings,
  ) {
    this.#kube = kube;
    this.#settings = settings;
    this.#deployments = caches.endpointDeployments;
    this.#kinds = {
      account: { resource: SERVICE_ACCOUNTS, cache: caches.endpointAccounts },
      role: { resource: ROLES, cache: caches.endpointRoles },
      binding: { resource: ROLE_BINDINGS, cache: caches.endpointBindings },
      networkPolicy: { resource: NETWORK_POLICIES, cache: caches.networkPolicies },
      service: { resource: SERVICES, cache: caches.endpointServices },
      deployment: { resource: DEPLOYMENTS, cache: caches.endpointDeployments },
    };
  }

  /**
   * Makes the endpoint of an instance as it should be; writes nothing when it is.
   *
   * @param allowed whether the policies let the instance have it
   */
  async ensure(instance: SympoziumInstance, allowed: Verdict): Promise<EndpointState> {
    if (!wantsEndpoint(instance)) {
      await this.#remove(instance);
      return { observations: [], requeueAfterMs: Infinity };
    }
    const config = allowed.allowed
      ? endpointConfig(instance)
      : { reason: 'SkillNotAllowed', message: `the web endpoint is not started: ${allowed.because}` };
    if ('reason' in config) {
      await this.#remove(instance);
      return notServing(config);
    }
    const problem = await this.#make(instance, config);
    return problem === undefined ? this.#look(instance, config) : notServing(problem, LOOK_AGAIN_MS);
  }

  async #make(instance: SympoziumInstance, config: EndpointConfig): Promise<Problem | undefined> {
    const objects = endpointObjects(instance, config, this.#settings);
    for (const [part, { resource, cache }] of Object.entries(this.#kinds)) {
      const wanted: KubeObject = objects[part as keyof typeof objects];
      const { name, namespace = '' } = wanted.metadata;
      const there = cache.get(keyOf(wanted)) ?? (await this.#kube.get(resource, wanted.metadata));
      if (there !== undefined && !owns(instance, there)) {
        const message = `${resource.kind} '${name}' in namespace '${namespace}' is in the way of the web endpoint: delete it, or give the instance another name`;
        return { reason: 'NameConflict', message };
      }
      if (there !== undefined && contains(there, wanted)) continue;
      try {
        await this.#write(resource, wanted, there);
      } catch (error) {
        if (!isKubeError(error, 'Forbidden', 'Invalid')) throw error;
        const message = `the ${resource.kind} of the web endpoint can't be created: ${error.message}`;
        return { reason: 'EndpointNotCreated', message };
      }
    }
    return undefined;
  }

  /** Roles are never changed, only made and deleted: who may change roles could change others'. */
  async #write(resource: Resource<KubeObject>, wanted: KubeObject, there: KubeObject | undefined): Promise<void> {
    if (resource !== ROLES && resource !== ROLE_BINDINGS) {
      await this.#kube.apply(resource, wanted);
      return;
    }
    if (there !== undefined) await this.#kube.delete(resource, there.metadata, { uid: there.metadata.uid });
    await this.#kube.create(resource, wanted);
  }

  /** Whether the endpoint answers, as its Deployment says. */
  #look({ metadata }: SympoziumInstance, { secret }: EndpointConfig): EndpointState {
    const { namespace = 'default' } = metadata;
    const name = webName(metadata.name);
    if ((this.#deployments.get(keyFor(namespace, name))?.status?.availableReplicas ?? 0) > 0) {
      const message = `served by Service '${name}': http://${name}.${namespace}.svc/v1`;
      return { observations: [{ type: TYPE, status: 'True', reason: 'Serving', message }], requeueAfterMs: Infinity };
    }
    const message = `no Pod of Deployment '${name}' is ready yet; if Secret '${secret}' has no key yet, ${createSecret(secret, namespace)}; else see 'kubectl logs -n ${namespace} deployment/${name}'`;
    return notServing({ reason: 'NotReady', message });
  }

  async #remove(instance: SympoziumInstance): Promise<void> {
    const { name, namespace } = instance.metadata;
    for (const { resource, cache } of Object.values(this.#kinds).reverse()) {
      const there = cache.get(keyFor(namespace, webName(name)));
      if (there === undefined || !owns(instance, there) || there.metadata.labels?.[LABELS.instance] !== name) continue;
      await this.#kube.delete(resource, there.metadata, { uid: there.metadata.uid });
    }
  }
}

const TYPE = 'EndpointReady';
/** What was in the way may go without a word: nobody tells us of others' objects. */
const LOOK_AGAIN_MS = 5_000;

const notServing = ({ reason, message }: Problem, requeueAfterMs = Infinity): EndpointState => ({
  requeueAfterMs,
  observations: [{ type: TYPE, status: 'False', reason, message }],
});

/** Whether an object was made for this instance, and not for another one of its name. */
const owns = (instance: SympoziumInstance, { metadata }: KubeObject): boolean =>
  metadata.ownerReferences?.some(({ uid, controller }) => uid === instance.metadata.uid && controller === true) ===
  true;
