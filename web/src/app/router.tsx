import { createBrowserRouter, redirect, type RouteObject } from 'react-router';

import { PageError } from './page-error.tsx';
import { Root } from './root.tsx';
import { Shell } from './shell.tsx';

/** The pages of a workspace, each a chunk of its own that exports `Component`. */
const PAGES: RouteObject[] = [
  { index: true, loader: ({ params }) => redirect(`/w/${params['ws']}/home`) },
  { path: 'home', lazy: () => import('../features/home/home-page.tsx') },
  { path: 'ops/timeline', lazy: () => import('../features/timeline/timeline-page.tsx') },
  { path: 'ops/instances', lazy: () => import('../features/instances/instances-page.tsx') },
  { path: 'ops/instances/:id', lazy: () => import('../features/instances/instance-page.tsx') },
  { path: 'ops/backfills', lazy: () => import('../features/backfills/backfills-page.tsx') },
  { path: 'ops/alerts', lazy: () => import('../features/alerts/alerts-page.tsx') },
  { path: 'ops/plans', lazy: () => import('../features/plans/plans-page.tsx') },
  { path: 'ops/resources', lazy: () => import('../features/resources/resources-page.tsx') },
  { path: 'admin/audit', lazy: () => import('../features/audit/audit-page.tsx') },
  {
    path: 'admin/worker-tokens',
    lazy: () => import('../features/worker-tokens/worker-tokens-page.tsx'),
  },
  { path: 'ops/backfills/:id', lazy: () => import('../features/backfills/backfill-page.tsx') },
  { path: 'studio', lazy: () => import('../features/workflows/workflows-page.tsx') },
  { path: 'studio/wf/:id', lazy: () => import('../features/workflows/workflow-page.tsx') },
  { path: 'data/sources', lazy: () => import('../features/data-sources/data-sources-page.tsx') },
  { path: 'data/sources/:id', lazy: () => import('../features/data-sources/data-source-page.tsx') },
  { path: '*', lazy: () => import('./not-found-page.tsx') },
];

export const router = createBrowserRouter([
  {
    path: '/',
    Component: Root,
    errorElement: <PageError />,
    HydrateFallback: () => null,
    children: [
      {
        path: 'w/:ws',
        Component: Shell,
        children: [{ errorElement: <PageError />, children: PAGES }],
      },
      { path: '*', lazy: () => import('./not-found-page.tsx') },
    ],
  },
]);
