import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { componentLabels } from './labels.ts';
import { NAMES } from './names.ts';

/** An issuer of cert-manager. */
export interface IssuerRef {
  /** Name of the Issuer, in the namespace of the control plane, or of the ClusterIssuer. */
  readonly name: string;

  /**
   * Kind of the issuer.
   * @default Issuer
   */
  readonly kind?: string;

  /**
   * API group of the issuer.
   * @default cert-manager.io
   */
  readonly group?: string;
}

/** How cert-manager makes the webhook's certificate. */
export interface CertManagerOptions {
  /**
   * Who signs it. It must tell its own certificate (`ca.crt`), as private issuers do: the API server trusts only that.
   * @default - an authority of its own, which is made here
   */
  readonly issuerRef?: IssuerRef;
}

/** Who makes the certificate that the API server trusts the webhook by. */
export interface CertificatesOptions {
  /**
   * Leave it to cert-manager, which must be in the cluster already.
   * @default - the webhook makes and rotates its certificate itself
   */
  readonly certManager?: CertManagerOptions;
}

/** What the certificate of the webhook needs to know. */
export interface WebhookCertificateProps extends CertManagerOptions {
  /** Namespace of the control plane. */
  readonly namespace: string;
}

/** API group of cert-manager, and prefix of its annotations. */
export const CERT_MANAGER = 'cert-manager.io';
const PRIVATE_KEY = { algorithm: 'ECDSA', size: 256 };

/** The webhook's certificate, made and rotated by cert-manager. Its Secret is another one than the webhook's own. */
export class WebhookCertificate extends Construct {
  constructor(scope: Construct, id: string, { namespace, issuerRef }: WebhookCertificateProps) {
    super(scope, id);
    const object = (kind: string, name: string, spec: object) =>
      new ApiObject(this, `${kind}-${name}`, {
        apiVersion: `${CERT_MANAGER}/v1`,
        kind,
        metadata: { name, namespace, labels: componentLabels('webhook') },
        ...{ spec },
      });

    if (issuerRef === undefined) {
      const authority = NAMES.webhookAuthority;
      object('Issuer', `${authority}-root`, { selfSigned: {} });
      object('Certificate', authority, {
        isCA: true,
        commonName: authority,
        secretName: authority,
        duration: '87600h',
        privateKey: PRIVATE_KEY,
        issuerRef: { name: `${authority}-root`, kind: 'Issuer', group: CERT_MANAGER },
      });
      object('Issuer', authority, { ca: { secretName: authority } });
    }
    const { name, kind = 'Issuer', group = CERT_MANAGER } = issuerRef ?? { name: NAMES.webhookAuthority };
    const host = `${NAMES.webhook}.${namespace}.svc`;
    object('Certificate', NAMES.webhook, {
      secretName: NAMES.webhookIssuedSecret,
      dnsNames: [host],
      duration: '2160h',
      renewBefore: '720h',
      privateKey: { ...PRIVATE_KEY, rotationPolicy: 'Always' },
      usages: ['digital signature', 'server auth'],
      issuerRef: { name, kind, group },
    });
  }
}
