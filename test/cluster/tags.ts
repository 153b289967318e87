/** The image of all our Node processes: a minimal Debian with Node 24 and a busybox shell. */
export const baseTag = 'localhost/sympozium-base:node24';

/** The same with Git. */
export const gitBaseTag = 'localhost/sympozium-base-git:node24';

/** The image that tests build programs in Python on: the same Debian with Python in place of Node. */
export const pythonTag = 'localhost/python:debian';

/** The image of the process that holds a Pod's namespaces. */
export const pauseTag = 'localhost/pause:local';

/** The image of the cluster's DNS server. */
export const corednsTag = 'localhost/coredns:local';
