import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './ui/palette.css';
import './app/app.css';

import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router/dom';

import { queryClient } from './api/client.ts';
import { startI18n } from './app/i18n.ts';
import { router } from './app/router.tsx';
import { Themed } from './app/themed.tsx';

await startI18n();

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <Themed>
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queryClient}>
        <Suspense fallback={null}>
          <RouterProvider router={router} />
        </Suspense>
      </QueryClientProvider>
    </Themed>
  </StrictMode>,
);
