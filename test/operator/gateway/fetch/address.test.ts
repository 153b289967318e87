import { describe, expect, test } from '@jest/globals';
import { normalAddress, parseNetworks, placeOf } from '../../../../operator/gateway/fetch/address.ts';

const nowhere = (...addresses: string[]) => addresses.map((address): [string, string] => [address, 'nowhere']);
const inCluster = (...addresses: string[]) => addresses.map((address): [string, string] => [address, 'inCluster']);
const open = (...addresses: string[]) => addresses.map((address): [string, string] => [address, 'public']);

describe('T8 where an address leads', () => {
  test.each([
    ...nowhere('127.0.0.1', '127.255.255.254', '::1'),
    ...nowhere('169.254.0.1', '169.254.169.254', '169.254.169.253', 'fe80::1', 'febf::1', 'fe80::1%eth0'),
    ...nowhere('168.63.129.16', '100.100.100.200', 'fd00:ec2::254', 'fd00:0ec2:0:0:0:0:0:254', 'fd20:ce::254'),
    ...nowhere('192.0.0.192', '0.0.0.0', '0.1.2.3', '::'),
    ...nowhere('224.0.0.1', '239.255.255.255', 'ff02::1', '255.255.255.255', '240.0.0.1'),
    ...nowhere('192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '198.19.255.255', '192.88.99.1'),
    // IPv4 in disguise: mapped, translated, compatible.
    ...nowhere('::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::ffff:0:8.8.8.8', '::8.8.8.8', '::7f00:1'),
    // NAT64: what is embedded counts, and a network's own prefix can't be read.
    ...nowhere('64:ff9b::127.0.0.1', '64:ff9b::169.254.169.254', '64:ff9b::10.0.0.1', '64:ff9b::100.64.0.1'),
    ...nowhere('64:ff9b:1::8.8.8.8', '64:ff9b:1:ffff::1'),
    // Tunnels: 6to4 and Teredo.
    ...nowhere('2002:7f00:1::', '2002:808:808::1', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'),
    ...nowhere('2001:db8::1', '3fff::1', '100::1', '5f00::1', 'fec0::1', '4000::1', '8000::1', 'fe00::1', '2001:2::1'),
    ...nowhere('', 'localhost', '127.1', '0x7f.0.0.1', '0177.0.0.1', '2130706433', '1.2.3.4.5', '[::1]', '1.2.3.4 '),
    ...inCluster('10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1'),
    ...inCluster('100.64.0.1', '100.127.255.255', 'fc00::1', 'fd12:3456::1'),
    ...open('8.8.8.8', '1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.255.255'),
    ...open('172.32.0.0', '169.253.255.255', '169.255.0.0', '223.255.255.255', '2606:4700::1111', '64:ff9b::8.8.8.8'),
  ])('%s: %s', (address, reach) => {
    expect(placeOf(address).reach).toBe(reach);
  });

  test('networks of the cluster are in the cluster, also where they are of no private range', () => {
    const cluster = parseNetworks(['9.0.0.0/8', '2606:4700::/32']);
    expect(placeOf('9.1.2.3', cluster).reach).toBe('inCluster');
    expect(placeOf('2606:4700::1', cluster).reach).toBe('inCluster');
    expect(placeOf('64:ff9b::9.1.2.3', cluster).reach).toBe('nowhere');
    expect(placeOf('8.8.8.8', cluster).reach).toBe('public');
    expect(placeOf('127.0.0.1', parseNetworks(['127.0.0.0/8'])).reach).toBe('nowhere');
    expect(() => parseNetworks(['10.0.0.0'])).toThrow('CIDR');
  });

  test('what it is, is said in words', () => {
    expect(placeOf('169.254.169.254').kind).toBe('a link-local address, as metadata services have');
    expect(placeOf('64:ff9b::10.0.0.1').kind).toBe('behind a translator (NAT64) a private address');
  });

  test('an address has one spelling', () => {
    expect(normalAddress('FD00:0EC2::0254')).toBe('fd00:ec2::254');
    expect(normalAddress('fd00::1%eth0')).toBeUndefined();
  });
});
