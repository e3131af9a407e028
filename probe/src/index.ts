export * from './evaluate.ts';
export * from './patterns.ts';
export * from './probe.ts';
