import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { GROUP } from '../api/group.ts';
import { Identity } from './identity.ts';
import { NAMES } from './names.ts';
import { EndpointGrants } from './endpoint-grants.ts';
import { SkillGrants } from './skill-grants.ts';
import type { CertificatesOptions } from './webhook-certificate.ts';

/** What the rights of the control plane need to know. */
export interface RbacProps {
  /** Namespace of the control plane. */
  readonly namespace: string;

  /**
   * Who makes the webhook's certificate: what others do for it, it may not do.
   * @default - the webhook itself
   */
  readonly certificates?: CertificatesOptions;
}

/** Who the components are and what each may do: every verb here has a caller in `operator/`, and nothing has a wildcard. */
export class Rbac extends Construct {
  constructor(scope: Construct, id: string, { namespace, certificates }: RbacProps) {
    super(scope, id);
    new Identity(this, 'controller', { component: 'controller', namespace, ...CONTROLLER });
    const webhook = certificates?.certManager === undefined ? WEBHOOK : WEBHOOK_WITH_ISSUER;
    new Identity(this, 'webhook', { component: 'webhook', namespace, ...webhook });
    new Identity(this, 'gateway', { component: 'gateway', namespace, ...GATEWAY });
    new Identity(this, 'nats', { component: 'nats', namespace });
    new SkillGrants(this, 'skill-grants', { namespace });
    new EndpointGrants(this, 'endpoint-grants', { namespace });
  }
}

const RBAC = 'rbac.authorization.k8s.io';

interface Rights {
  readonly clusterRules?: readonly k8s.PolicyRule[];
  readonly rules?: readonly k8s.PolicyRule[];
}

const allow = (apiGroup: string, resources: string[], verbs: string[], resourceNames?: string[]): k8s.PolicyRule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
  ...(resourceNames === undefined ? {} : { resourceNames }),
});

/** Kinds that the controller has nothing to do for but to say so in their conditions. */
const STORED_ONLY = ['sympoziumschedules', 'personapacks', 'mcpservers'];

const CONTROLLER: Rights = {
  clusterRules: [
    // `delete` is retention.
    allow(GROUP, ['agentruns'], ['get', 'list', 'watch', 'delete']),
    allow(GROUP, ['sympoziuminstances', 'sympoziumpolicies', 'skillpacks'], ['get', 'list', 'watch']),
    allow(GROUP, STORED_ONLY, ['list', 'watch']),
    // Asks people about calls; `update` decides what nobody decided in time.
    allow(GROUP, ['toolapprovals'], ['get', 'list', 'watch', 'create', 'update']),
    allow(
      GROUP,
      ['agentruns', 'sympoziuminstances', 'sympoziumpolicies', 'skillpacks', 'toolapprovals', ...STORED_ONLY].map(
        (kind) => `${kind}/status`,
      ),
      ['patch'],
    ),
    // To own Jobs where the cluster checks that (OwnerReferencesPermissionEnforcement, as in OpenShift).
    allow(GROUP, ['agentruns/finalizers'], ['update']),
    // What a run consists of, and what keeps its network shut.
    allow('batch', ['jobs'], ['get', 'list', 'watch', 'create', 'delete']),
    allow('', ['serviceaccounts'], ['get', 'list', 'watch', 'create', 'patch', 'delete']),
    // Whether the sandboxes are there that policies ask for.
    allow('node.k8s.io', ['runtimeclasses'], ['list', 'watch']),
    // Their labels say which policies are imposed on them.
    allow('', ['namespaces'], ['get', 'list', 'watch']),
    allow('', ['pods'], ['list', 'watch']),
    allow('networking.k8s.io', ['networkpolicies'], ['get', 'list', 'watch', 'create', 'patch', 'delete']),
    // What the skills of a run may do, for as long as it goes on. No `escalate` and no `bind`: the API server refuses a role
    // with more than the controller has, which for this is what `sympozium-skill-grants` says.
    allow(RBAC, ['roles', 'rolebindings'], ['get', 'list', 'watch', 'create', 'delete']),
    allow(RBAC, ['clusterroles', 'clusterrolebindings'], ['get', 'list', 'watch', 'create', 'delete']),
    // Where skills connect to.
    allow('', ['endpoints'], ['get']),
    // What serves an instance over HTTP: its role and the rest are among those above. `get` is also for skills.
    allow('', ['services'], ['get', 'list', 'watch', 'create', 'patch', 'delete']),
    allow('apps', ['deployments'], ['get', 'list', 'watch', 'create', 'patch', 'delete']),
    // Events of a Job say why it got no Pod: a quota, or Pod Security.
    allow('', ['events'], ['create', 'list']),
    // The auth callout asks whose token a bridge shows.
    allow('authentication.k8s.io', ['tokenreviews'], ['create']),
  ],
  rules: [
    // The built-in policies and skills; `update` brings skills to another version.
    allow(GROUP, ['sympoziumpolicies'], ['create']),
    allow(GROUP, ['skillpacks'], ['create', 'update']),
    // `create` can't be limited to a name: the name is not known yet when the right is checked.
    allow('coordination.k8s.io', ['leases'], ['create']),
    allow('coordination.k8s.io', ['leases'], ['get', 'update'], [NAMES.controller]),
    allow('', ['secrets'], ['create']),
    // `update` completes the Secret of an earlier release.
    allow('', ['secrets'], ['get', 'update'], [NAMES.busSecret]),
  ],
};

/** Facts that the webhook's rules are about. */
const FACTS: readonly k8s.PolicyRule[] = [
  allow(GROUP, ['sympoziuminstances', 'sympoziumpolicies', 'skillpacks'], ['get', 'list', 'watch']),
  // Whether a run still waits for a decision.
  allow(GROUP, ['agentruns'], ['get']),
  allow('node.k8s.io', ['runtimeclasses'], ['get', 'list', 'watch']),
  allow('', ['namespaces'], ['get', 'list', 'watch']),
];

const WEBHOOK: Rights = {
  clusterRules: [
    ...FACTS,
    // Its certificate authority, in its own configurations. Lists and watches of one name can be limited to it.
    allow(
      'admissionregistration.k8s.io',
      ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
      ['list', 'watch', 'patch'],
      [NAMES.webhookConfiguration],
    ),
  ],
  rules: [
    allow('', ['secrets'], ['create']),
    allow('', ['secrets'], ['get', 'list', 'watch', 'update'], [NAMES.webhookSecret]),
  ],
};

const WEBHOOK_WITH_ISSUER: Rights = {
  clusterRules: FACTS,
  rules: [allow('', ['secrets'], ['list', 'watch'], [NAMES.webhookIssuedSecret])],
};

const GATEWAY: Rights = {
  clusterRules: [
    // Whose token a bridge shows, and which provider its run may use.
    allow('authentication.k8s.io', ['tokenreviews'], ['create']),
    allow(GROUP, ['agentruns'], ['get']),
    // What an instance may ask and fetch, as of now.
    allow(GROUP, ['sympoziuminstances', 'sympoziumpolicies'], ['get', 'list', 'watch']),
    allow('', ['namespaces'], ['list', 'watch']),
    // Where the API server is: nothing is fetched from there.
    allow('discovery.k8s.io', ['endpointslices'], ['get'], ['kubernetes']),
    // In every namespace, because agents live in every namespace and each keeps its provider's key in a Secret beside
    // itself, of any name. Only `get`: nobody can find out through the gateway which Secrets there are, and it reads
    // only the one that the instance of the calling run names.
    allow('', ['secrets'], ['get']),
  ],
  // Addresses of the control plane: nothing is fetched from there either.
  rules: [allow('', ['pods', 'services'], ['list'])],
};
