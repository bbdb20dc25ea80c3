# The kernels are compiled once per instruction set, each into a namespace of its own, and chosen when the addon is loaded.
{
  "variables": {
    "fp16%": 0,  # whether the compiler knows AVX512-FP16; native/build.mjs asks it
    "kernel_sources": [
      "native/kernels/adamw.cpp",
      "native/kernels/attention.cpp",
      "native/kernels/cached-attention.cpp",
      "native/kernels/elementwise.cpp",
      "native/kernels/embedding.cpp",
      "native/kernels/gemm.cpp",
      "native/kernels/head-cross-entropy.cpp",
      "native/kernels/rmsnorm.cpp",
      "native/kernels/rope.cpp",
      "native/kernels/swiglu.cpp",
      "native/kernels/table.cpp"
    ]
  },
  "target_defaults": {
    "cflags_cc!": ["-std=gnu++17", "-std=c++17"],
    "cflags_cc": ["-std=gnu++20", "-Wall", "-Wextra", "-fvisibility=hidden"],
    "xcode_settings": { "CLANG_CXX_LANGUAGE_STANDARD": "gnu++20", "GCC_OPTIMIZATION_LEVEL": "3", "MACOSX_DEPLOYMENT_TARGET": "11.0" },
    # Release is what `npm ci` builds; Debug is for the sanitizers (npm run build:native -- --sanitize).
    "configurations": {
      "Release": { "cflags_cc": ["-O3"] },
      "Debug": {
        # Of "undefined", the checks on every pointer are left out: over vectors in registers they take GCC minutes a file.
        "cflags_cc": [
          "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined",
          "-fno-sanitize=null,alignment,object-size,vptr,return,nonnull-attribute,returns-nonnull-attribute"
        ],
        "ldflags": ["-fsanitize=address,undefined"]
      }
    },
    "conditions": [
      ["target_arch=='x64'", { "defines": ["MEDITRON_X64"] }],
      ["target_arch=='x64' and fp16==1", { "defines": ["MEDITRON_FP16"] }]
    ]
  },
  "targets": [
    {
      "target_name": "portable",
      "type": "static_library",
      "defines": ["MEDITRON_ISA=portable"],
      "sources": ["<@(kernel_sources)", "native/kernels/thread-pool.cpp"]
    },
    {
      "target_name": "meditron",
      "sources": ["native/bindings/addon.cpp", "native/bindings/arguments.cpp"],
      "dependencies": ["portable"],
      "conditions": [
        ["target_arch=='x64'", { "dependencies": ["avx2", "avx512", "avx512bf16"] }],
        ["target_arch=='x64' and fp16==1", { "dependencies": ["avx512fp16"] }],
        # Workers sleep inside the addon: it must stay when the JavaScript thread that loaded it ends.
        ["OS=='linux'", { "ldflags": ["-Wl,-z,nodelete"] }]
      ]
    }
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "avx2",
          "type": "static_library",
          "defines": ["MEDITRON_ISA=avx2"],
          "cflags_cc": ["-mavx2", "-mfma"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma"] },
          "sources": ["<@(kernel_sources)"]
        },
        {
          "target_name": "avx512",
          "type": "static_library",
          "defines": ["MEDITRON_ISA=avx512"],
          "cflags_cc": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"] },
          "sources": ["<@(kernel_sources)"]
        },
        {
          "target_name": "avx512bf16",
          "type": "static_library",
          "defines": ["MEDITRON_ISA=avx512bf16"],
          "cflags_cc": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16"] },
          "sources": ["<@(kernel_sources)"]
        }
      ]
    }],
    ["target_arch=='x64' and fp16==1", {
      "targets": [
        {
          "target_name": "avx512fp16",
          "type": "static_library",
          "defines": ["MEDITRON_ISA=avx512fp16"],
          "cflags_cc": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16", "-mavx512fp16"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16", "-mavx512fp16"] },
          "sources": ["<@(kernel_sources)"]
        }
      ]
    }]
  ]
}
