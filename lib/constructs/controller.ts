import { Construct } from 'constructs';
import { AUDIENCES } from '../api/group.ts';
import { durationSeconds } from '../api/duration.ts';
import { busUrl, gatewayUrl, resolveDns, type DnsOptions } from './names.ts';
import { resolveSkillImages, type SkillImageOptions } from './skill-images.ts';
import type { NatsReplicas } from './nats.ts';
import { Process, type CommonProps, type SizeProps } from './process.ts';

/** How long finished runs are kept: whichever bound is reached first. */
export interface Retention {
  /**
   * Age at which a finished run is deleted, for example `24h`.
   * @default 168h
   */
  readonly age?: string;

  /**
   * Number of finished runs that each SympoziumInstance keeps.
   * @default 100
   */
  readonly runsPerInstance?: number;
}

/** What the controller needs to know. */
export interface ControllerProps extends CommonProps, SizeProps {
  /**
   * Where the names of the cluster live.
   * @default - as in most clusters
   */
  readonly dns?: DnsOptions;

  /**
   * How many servers of NATS keep each message.
   * @default 1
   */
  readonly busReplicas?: NatsReplicas;

  /**
   * How long finished runs are kept.
   * @default - 168h, 100 per instance
   */
  readonly retention?: Retention;

  /**
   * Images of the built-in skills.
   * @default - named after the image of our own processes
   */
  readonly skillImages?: SkillImageOptions;
}

/** Turns our kinds into Jobs and their outcome into status. One Pod leads; the others answer NATS and stand by. */
export class Controller extends Construct {
  constructor(scope: Construct, id: string, props: ControllerProps) {
    super(scope, id);
    const { dns, busReplicas = 1, retention = {}, skillImages, ...common } = props;
    const { namespace, image, imagePullPolicy = 'IfNotPresent' } = common;
    const { age = '168h', runsPerInstance = 100 } = retention;
    const { namespace: dnsNamespace, addresses } = resolveDns(dns);
    durationSeconds(age); // throws now rather than in the cluster

    new Process(this, 'process', {
      ...common,
      component: 'controller',
      env: {
        BUS_URL: busUrl(namespace, dns),
        BUS_REPLICAS: String(busReplicas),
        GATEWAY_URL: gatewayUrl(namespace, dns),
        RUNTIME_IMAGE: image,
        SKILL_IMAGES: resolveSkillImages(image, skillImages),
        IMAGE_PULL_POLICY: imagePullPolicy,
        DNS_NAMESPACE: dnsNamespace,
        DNS_ADDRESSES: addresses.join(','),
        RETENTION_AGE: age,
        RETENTION_RUNS: String(runsPerInstance),
      },
      volumes: [
        {
          mountPath: '/var/run/secrets/sympozium',
          volume: {
            name: 'tokens',
            projected: {
              // A token of its own: the one for the API server must never be shown to another process.
              sources: [
                { serviceAccountToken: { audience: AUDIENCES.gateway, path: 'gateway', expirationSeconds: 3600 } },
              ],
            },
          },
        },
      ],
    });
  }
}
