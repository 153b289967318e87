/** What a scanner holds against one object. */
export interface Finding {
  readonly scanner: Scanner;
  /** The scanner's name for the check, such as `CKV_K8S_43`. */
  readonly check: string;
  /** What it says, without the name of the container. */
  readonly says: string;
  /** `Kind/name`. */
  readonly object: string;
}

/** The scanners that look at the manifests. */
export type Scanner = 'kube-score' | 'checkov';

/** A finding as one line, by which findings are compared. */
export const lineOf = ({ scanner, check, says, object }: Finding): string => `${scanner} ${check}: ${says}: ${object}`;
