import { describe, expect, it } from 'vitest';
import { Health, Metrics } from '../src/index.ts';

async function linesOf(metrics: Metrics): Promise<string[]> {
  const { body } = await metrics.text();
  return body.split('\n').filter((line) => line !== '');
}

describe('Metrics', () => {
  it('counts, per labels', async () => {
    const metrics = new Metrics();
    const plain = metrics.counter('plain_total', 'plain');
    const requests = metrics.counters('requests_total', 'requests', ['type', 'status']);
    plain.add();
    plain.add(2.5);
    const select = requests.with({ type: 'SELECT', status: '200' });
    select.add();
    requests.with({ type: 'SELECT', status: '200' }).add();
    requests.with({ type: 'WRITE', status: '413' }).add(7);
    for (let read = 0; read < 2; read++) {
      expect(await linesOf(metrics)).toEqual([
        '# HELP plain_total plain',
        '# TYPE plain_total counter',
        'plain_total 3.5',
        '# HELP requests_total requests',
        '# TYPE requests_total counter',
        'requests_total{type="SELECT",status="200"} 2',
        'requests_total{type="WRITE",status="413"} 7',
      ]);
    }
  });

  it('asks for levels when it is read', async () => {
    const metrics = new Metrics();
    let connections = 1;
    metrics.gauge('connections', 'open ones', () => connections);
    metrics.gauges('queue', 'lengths', {
      labelNames: ['name'],
      read: () => [{ labels: { name: 'out' }, value: connections * 2 }],
    });
    connections = 4;
    expect(await linesOf(metrics)).toEqual(expect.arrayContaining(['connections 4', 'queue{name="out"} 8']));
  });

  it('shows no level where there is none', async () => {
    const metrics = new Metrics();
    let waiting: number | undefined;
    metrics.gauge('waiting', 'those that wait', () => waiting);
    expect(await linesOf(metrics)).toEqual(['# HELP waiting those that wait', '# TYPE waiting gauge']);
    waiting = 3;
    expect(await linesOf(metrics)).toContain('waiting 3');
  });

  it('describes what there is', () => {
    const metrics = new Metrics();
    metrics.histograms('size_bytes', 'sizes', { labelNames: ['way'] }).with({ way: 'in' });
    metrics.counter('a_total', 'a');
    expect(metrics.described()).toEqual([
      { name: 'a_total', kind: 'counter', help: 'a', labelNames: [] },
      { name: 'size_bytes', kind: 'histogram', help: 'sizes', labelNames: ['way'] },
    ]);
  });

  it('describes with their labels what prom-client adds', () => {
    const metrics = new Metrics();
    metrics.addProcessMetrics(new Health());
    expect(metrics.described().find(({ name }) => name === 'nodejs_gc_duration_seconds')?.labelNames).toEqual(['kind']);
  });

  it('sorts into buckets, each holding all below it', async () => {
    const metrics = new Metrics();
    const sizes = metrics.histograms('size_bytes', 'sizes', { labelNames: ['way'], buckets: [10, 100] });
    const inward = sizes.with({ way: 'in' });
    for (const size of [0, 10, 11, 100, 101, 5000]) {
      inward.observe(size);
    }
    sizes.with({ way: 'out' });
    expect(await linesOf(metrics)).toEqual([
      '# HELP size_bytes sizes',
      '# TYPE size_bytes histogram',
      'size_bytes_bucket{le="10",way="in"} 2',
      'size_bytes_bucket{le="100",way="in"} 4',
      'size_bytes_bucket{le="+Inf",way="in"} 6',
      'size_bytes_sum{way="in"} 5222',
      'size_bytes_count{way="in"} 6',
      'size_bytes_bucket{le="10",way="out"} 0',
      'size_bytes_bucket{le="100",way="out"} 0',
      'size_bytes_bucket{le="+Inf",way="out"} 0',
      'size_bytes_sum{way="out"} 0',
      'size_bytes_count{way="out"} 0',
    ]);
  });

  it('has a histogram without labels, in seconds', async () => {
    const metrics = new Metrics();
    metrics.histogram('duration_seconds', 'how long').observe(0.003);
    expect(await linesOf(metrics)).toEqual(
      expect.arrayContaining(['duration_seconds_bucket{le="0.005"} 1', 'duration_seconds_count 1']),
    );
  });

  it('keeps registries apart, and refuses one name twice', async () => {
    const one = new Metrics();
    const other = new Metrics();
    one.counter('a_total', 'a').add();
    other.counter('a_total', 'a');
    expect(await linesOf(one)).toContain('a_total 1');
    expect(await linesOf(other)).toContain('a_total 0');
    expect(() => one.counter('a_total', 'a')).toThrow('a_total');
  });

  it('adds those of the process, event loop lag among them', async () => {
    const metrics = new Metrics();
    const health = new Health();
    metrics.addProcessMetrics(health);
    expect(await linesOf(metrics)).toContain('fosp_ready 0');
    health.started();
    expect(await linesOf(metrics)).toContain('fosp_ready 1');
    const { body, contentType } = await metrics.text();
    expect(body).toMatch(/^fosp_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
    expect(contentType).toContain('text/plain');
    expect(body).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(body).toContain('process_resident_memory_bytes');
  });
});
