import { Controller, Get, Inject } from '@nestjs/common';

import { SignedIn } from '../auth/access.decorator.js';
import { openapiDocument } from '../openapi/openapi-document.js';
import { API_PORTS, type ApiPorts } from '../ports.js';
import { DOCUMENTED_CONTROLLERS } from './documented-controllers.js';

@Controller('/api/v1')
export class OpenapiController {
  readonly #version: string;
  #document: object | undefined;

  constructor(@Inject(API_PORTS) ports: ApiPorts) {
    this.#version = ports.version;
  }

  @Get('openapi.json')
  @SignedIn()
  getDocument(): object {
    return (this.#document ??= openapiDocument(DOCUMENTED_CONTROLLERS, this.#version));
  }
}
