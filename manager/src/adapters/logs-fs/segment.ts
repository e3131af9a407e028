/**
 * A log is one growing stream of bytes, kept in files that each hold a stretch of it. Where a file
 * begins in the stream is known from its name, so there is no state beside the files, and a
 * position in the stream is a cursor that outlives rotation and restarts.
 */
export interface Segment {
  readonly path: string;
  /** Where its first byte stands in the stream. */
  readonly start: number;
  readonly sizeBytes: number;
}

export function endOf(segment: Segment): number {
  return segment.start + segment.sizeBytes;
}

/** How one log's segments are named, how many there are, and how large they grow. */
export interface SegmentedLog {
  /** Oldest first; a gap between two is what was dropped. Empty where nothing was logged yet. */
  list(): Promise<Segment[]>;
  /** Lines go to the last segment as long as it stays within this. */
  capacityOf(segment: Segment): number;
  /** Makes room by dropping or moving old segments; returns what is there now, the last one new and empty. */
  beginSegment(segments: readonly Segment[]): Promise<Segment[]>;
  remove(): Promise<void>;
}
