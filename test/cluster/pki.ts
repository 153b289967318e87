import 'reflect-metadata';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import * as x509 from '@peculiar/x509';
import { addresses, nodeName, pkiDir } from './layout.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const lifetimeMs = 3650 * 24 * 3600 * 1000;

interface Identity {
  file: string;
  commonName: string;
  organization: string;
  dns?: string[];
  ip?: string[];
}

/** Everyone who speaks to the API server, and the two servers that need a certificate of the cluster's own authority. */
const identities: Identity[] = [
  {
    file: 'apiserver',
    commonName: 'kube-apiserver',
    organization: 'kubernetes',
    dns: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ],
    ip: ['127.0.0.1', addresses.node, addresses.apiService],
  },
  { file: 'admin', commonName: 'admin', organization: 'system:masters' },
  { file: 'apiserver-kubelet', commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' },
  { file: 'front-proxy', commonName: 'front-proxy-client', organization: 'kubernetes' },
  { file: 'controller-manager', commonName: 'system:kube-controller-manager', organization: 'kubernetes' },
  { file: 'scheduler', commonName: 'system:kube-scheduler', organization: 'kubernetes' },
  { file: 'proxy', commonName: 'system:kube-proxy', organization: 'system:node-proxier' },
  {
    file: 'kubelet',
    commonName: `system:node:${nodeName}`,
    organization: 'system:nodes',
    dns: [nodeName],
    ip: [addresses.node],
  },
  { file: 'local-volumes', commonName: 'local-volumes', organization: 'system:masters' },
  { file: 'cilium', commonName: 'cilium', organization: 'system:masters' },
];

type Keys = Awaited<ReturnType<typeof newKeys>>;
const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

async function save(file: string, certificate: x509.X509Certificate, keys: Keys): Promise<void> {
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  await writeFile(`${pkiDir}/${file}.crt`, certificate.toString('pem'));
  await writeFile(`${pkiDir}/${file}.key`, x509.PemConverter.encode(key, 'PRIVATE KEY'), { mode: 0o600 });
}

/** Writes a new authority, a certificate for each identity and the key that signs ServiceAccount tokens. */
export async function writePki(): Promise<void> {
  x509.cryptoProvider.set(crypto);
  // Clocks differ by seconds where a machine has just been restored from a snapshot.
  const validity = { notBefore: new Date(Date.now() - 3600_000), notAfter: new Date(Date.now() + lifetimeMs) };
  const serialNumber = (): string => `01${randomBytes(15).toString('hex')}`;
  const authorityKeys = await newKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serialNumber(),
    name: 'CN=sympozium-cluster',
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  await save('ca', authority, authorityKeys);
  for (const { file, commonName, organization, dns = [], ip = [] } of identities) {
    const keys = await newKeys();
    const names: x509.JsonGeneralNames = [
      ...dns.map((value) => ({ type: 'dns' as const, value })),
      ...ip.map((value) => ({ type: 'ip' as const, value })),
    ];
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity,
      serialNumber: serialNumber(),
      subject: [{ O: [organization] }, { CN: [commonName] }],
      issuer: authority.subject,
      publicKey: keys.publicKey,
      signingKey: authorityKeys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    });
    await save(file, certificate, keys);
  }
  const tokens = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(`${pkiDir}/tokens.key`, tokens.privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  await writeFile(`${pkiDir}/tokens.pub`, tokens.publicKey.export({ type: 'spki', format: 'pem' }));
}
