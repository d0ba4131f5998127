import { randomBytes } from 'node:crypto';

export interface CephOptions {
  readonly directory: string;
  readonly clusterId: string;
  readonly ports: { readonly monitorV1: number; readonly monitorV2: number; readonly gateway: number };
  readonly kind: 'memory' | 'disk';
  readonly kmsKeyArn: string;
}

/** Ceph addresses a monitor by both protocol versions, on two ports. */
export function monitorAddress({ ports }: CephOptions): string {
  return `[v2:127.0.0.1:${String(ports.monitorV2)},v1:127.0.0.1:${String(ports.monitorV1)}]`;
}

/**
 * The configuration of a Ceph cluster of one monitor, one object store daemon and one gateway. `classes` is the folder of
 * the object store's classes: Debian 13's default for it is relative, and so finds them only from `/` or `/usr`.
 */
export function cephConfiguration(options: CephOptions, classes: string): string {
  const { directory, kind } = options;
  // Kept with the store, as objects that were encrypted with it must stay readable.
  const kmsKey = Buffer.from('local stack, 32 bytes of KMS key').toString('base64');
  return `[global]
fsid = ${options.clusterId}
mon_host = ${monitorAddress(options)}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = ${directory}/keyring
run_dir = ${directory}/run
admin_socket =
log_file = ${directory}/$name.log
log_to_stderr = false
err_to_stderr = true
# One copy of everything, one placement group a pool: nothing here is to survive a disk.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_crush_chooseleaf_type = 0
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
# A nearly full disk of a developer's machine must not stop it.
mon_data_avail_warn = 1
mon_data_avail_crit = 0
# The monitor gathers changes for a second before it proposes them, and creating the gateway's pools takes
# a dozen changes in a row: this alone brings the start from 12 s down to 1 s.
paxos_propose_interval = 0.01
paxos_min_wait = 0.005
# Clients that came before the object store ask for a newer map at each tick only (default: 5 s). Each tick has its price: with
# 0.1 s, a stack without work takes 3 % of a processor.
objecter_tick_interval = 1

[mon]
mon_data = ${directory}/mon

[osd]
osd_data = ${directory}/osd
osd_class_dir = ${classes}
osd_class_load_list = *
osd_class_default_list = *
osd_objectstore = ${kind === 'memory' ? 'memstore' : 'bluestore'}
memstore_device_bytes = ${String(8 * 2 ** 30)}
# A sparse file.
bluestore_block_size = ${String(50 * 2 ** 30)}
bluestore_fsck_on_mkfs = false
# It waits this long whenever it closes its file, which it does a dozen times while it starts (default: 250).
bdev_aio_poll_ms = 5
osd_memory_target = ${String(2 ** 30)}

[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:${String(options.ports.gateway)} tcp_nodelay=1
rgw_thread_pool_size = 64
rgw_crypt_require_ssl = false
# What was deleted lies in memory until it is collected (default: after two hours).
rgw_gc_obj_min_wait = 1
rgw_gc_processor_period = 2
rgw_gc_processor_max_time = 2
# It looks at each of these every time (default: 32).
rgw_gc_max_objs = 1
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = ${options.kmsKeyArn}=${kmsKey}
`;
}

/** One keyring for the whole cluster: it is only ever reached on loopback. */
export function cephKeyring(): string {
  const capabilities: Record<string, string> = {
    'mon.': 'caps mon = "allow *"',
    'client.admin': 'caps mon = "allow *"\n\tcaps osd = "allow *"\n\tcaps mgr = "allow *"',
    'client.rgw': 'caps mon = "allow *"\n\tcaps osd = "allow *"',
    'osd.0': 'caps mon = "allow profile osd"\n\tcaps osd = "allow *"',
  };
  return Object.entries(capabilities)
    .map(([entity, caps]) => `[${entity}]\n\tkey = ${cephKey()}\n\t${caps}\n`)
    .join('');
}

/** A key in Ceph's format: type (1: AES), creation time in seconds and nanoseconds, length, bytes. */
function cephKey(): string {
  const secret = randomBytes(16);
  const header = Buffer.alloc(12);
  header.writeUInt16LE(1, 0);
  header.writeUInt16LE(secret.length, 10);
  return Buffer.concat([header, secret]).toString('base64');
}
