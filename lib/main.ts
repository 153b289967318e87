/** The cdk8s app: `cdk8s synth` runs it and says through CDK8S_OUTDIR where the manifests go. */
import { synthesise, writeDistribution } from './distribution.ts';

writeDistribution(process.env.CDK8S_OUTDIR ?? 'dist', synthesise());
