import type { k8s } from 'cdk8s-plus-28';
import type { Manifest } from '../../lib/distribution.ts';
import type { Request } from './log.ts';

/** One thing that a ServiceAccount may do, and which role says so. */
export interface Right {
  /** Name of the ServiceAccount. */
  readonly account: string;
  /** The role that gives it, as the API server names it: `ClusterRole "sympozium-webhook"`. */
  readonly role: string;
  readonly group: string;
  /** With its subresource, as in `agentruns/status`. */
  readonly resource: string;
  readonly verb: string;
  /** The only object that it holds for; left out, all. */
  readonly name?: string;
}

/** A right as one line, as in `sympozium-controller: create batch/jobs by ClusterRole "sympozium-controller"`. */
export const lineOf = ({ account, role, group, resource, verb, name }: Right): string =>
  `${account}: ${verb} ${group}/${resource}${name === undefined ? '' : ` '${name}'`} by ${role}`;

interface Binding {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly name: string }[];
}

/** All that the roles of these manifests let their ServiceAccounts do. */
export function rightsIn(manifests: readonly Manifest[]): Right[] {
  const bindings = manifests.filter(({ kind }) => kind.endsWith('RoleBinding')) as unknown as readonly Binding[];
  return bindings.flatMap(({ roleRef, subjects }) => {
    const role = manifests.find(({ kind, metadata }) => kind === roleRef.kind && metadata.name === roleRef.name);
    if (role === undefined)
      throw new Error(`there is no ${roleRef.kind} '${roleRef.name}': expected it beside its binding`);
    const by = `${roleRef.kind} "${roleRef.name}"`;
    return subjects.flatMap((subject) =>
      ((role.rules ?? []) as k8s.PolicyRule[]).flatMap((rule) => rightsOf(subject.name, by, rule)),
    );
  });
}

const rightsOf = (account: string, role: string, rule: k8s.PolicyRule): Right[] => {
  const { apiGroups = [], resources = [], verbs, resourceNames = [undefined] } = rule;
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        resourceNames.map((name) => ({
          account,
          role,
          group,
          resource,
          verb,
          ...(name === undefined ? {} : { name }),
        })),
      ),
    ),
  );
};

/** Whether a right is one to what was asked for. */
export const covers = (right: Right, request: Request): boolean =>
  right.account === request.account &&
  right.group === request.group &&
  right.resource === request.resource &&
  (right.name === undefined || right.name === request.name) &&
  verbsOf(request).includes(right.verb);

/**
 * What the controller holds to give it to skills. It is a sum that only a cluster knows, and where it gives a right that the
 * controller has anyway, the log names either of the two.
 */
const GRANTS = 'ClusterRole "sympozium-skill-grants"';

/** The rights by which a request was allowed; none, when no role of ours gives it. */
export const rightsFor = (request: Request, rights: readonly Right[]): Right[] =>
  rights.filter(
    (right) => [right.role, GRANTS].some((role) => request.reason.includes(`of ${role} to`)) && covers(right, request),
  );

/** The rights that a request needed: one to all namespaces is not needed where one to the system namespace would do. */
export const neededFor = (request: Request, rights: readonly Right[], system: string): Right[] =>
  rightsFor(request, rights).filter(({ role }) => role.startsWith('Role ') || request.namespace !== system);

/** Server-side apply of an object that is not there is a patch, and the API server asks for the right to create it too. */
const verbsOf = ({ verb, code }: Request): string[] =>
  verb === 'patch' && code === 201 ? ['patch', 'create'] : [verb];
