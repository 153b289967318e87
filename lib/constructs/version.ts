import packageJson from '../../package.json' with { type: 'json' };

/** Version of this package, of the image that belongs to it, and of the Helm chart. */
export const PACKAGE_VERSION = packageJson.version;
