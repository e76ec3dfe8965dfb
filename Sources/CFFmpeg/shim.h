#pragma once

// What Swift's importer cannot read: error macros built from tags, NOPTS, and the `malloc` of
// libavutil, which alone may allocate what libavformat will free.

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

static const int64_t ff_nopts = AV_NOPTS_VALUE;
static const int32_t ff_error_eof = AVERROR_EOF;
static const int32_t ff_error_exit = AVERROR_EXIT;
static const int32_t ff_error_invalid = AVERROR_INVALIDDATA;
static const int32_t ff_error_again = AVERROR(EAGAIN);
static const int32_t ff_error_permission = AVERROR(EPERM);
static const int32_t ff_error_memory = AVERROR(ENOMEM);
static const int32_t ff_error_argument = AVERROR(EINVAL);
