import { z } from 'zod';

/** A task's id: chosen by a person or planner, unique in the box, safe as one path segment. */
export const TASK_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;
/** A project's name: also a host label (`<name>.localhost`) and a directory name. */
export const PROJECT_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/;
export const ENVIRONMENT_NAME_PATTERN = PROJECT_NAME_PATTERN;
/** What the box itself makes: a short prefix and 10 Crockford base-32 digits, e.g. `st_4k7qz0m2ab`. */
export const MADE_ID_PATTERN = /^(?:st|job|agt|rel|inc|art|tok)_[0-9a-hjkmnp-tv-z]{10}$/;
export const CHECK_ID_PATTERN = /^chk_[0-9a-f]{12}$/;
export const COMMIT_PATTERN = /^[0-9a-f]{40}$/;
export const ARTIFACT_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export const TaskId = z
  .string()
  .regex(TASK_ID_PATTERN, 'a letter or digit, then up to 79 of A-Z a-z 0-9 . _ -');
export const ProjectName = z
  .string()
  .regex(PROJECT_NAME_PATTERN, '1 to 48 of a-z 0-9 and -, neither first nor last a hyphen');
export const EnvironmentName = z.string().regex(ENVIRONMENT_NAME_PATTERN);
export const MadeId = z.string().regex(MADE_ID_PATTERN);
export const CheckId = z.string().regex(CHECK_ID_PATTERN);
export const Commit = z.string().regex(COMMIT_PATTERN);
/** RFC 3339 in UTC with milliseconds. */
export const Instant = z.string().meta({ format: 'date-time' });
