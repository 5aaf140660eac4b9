import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

export interface RouteDescription {
  readonly summary: string;
  /** What a success answers; absent: no body. */
  readonly answer?: z.ZodType;
  /** Of the answer; `application/json` unless given. */
  readonly contentType?: string;
  /** Headers a success carries or the request must carry. */
  readonly etag?: 'answers' | 'requires';
  readonly location?: boolean;
  readonly idempotent?: boolean;
}

export const ROUTE_DESCRIPTION = 'millrace:description';

/** Documents the route in the OpenAPI document. */
export const Describe = (description: RouteDescription): MethodDecorator =>
  SetMetadata(ROUTE_DESCRIPTION, description);
