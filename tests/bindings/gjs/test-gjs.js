#!/usr/bin/gjs -m
// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// All of the library, from JavaScript. To be run by ../every.py.

import {run} from './harness.js';
import './objects.js';
import './peers.js';
import './servers.js';
import './streams.js';

run();
