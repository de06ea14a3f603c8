import os
import shutil

import lit.formats

config.name = "Mortar"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["CMakeLists.txt", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.mortar_obj_root, "test")

# For a test that hides the PATH.
config.substitutions.append(
    ("%mortar-compile", os.path.join(config.mortar_tools_dir, "mortar-compile")))

# The stock mlir-opt, and what it loads.
config.substitutions.append(
    ("%stock-mlir-opt", os.path.join(config.llvm_tools_dir, "mlir-opt")))
config.substitutions.append(
    ("%mortar-plugin", os.path.join(config.mortar_lib_dir, "mortar-plugin.so")))

config.environment["PATH"] = os.pathsep.join(
    [config.mortar_tools_dir, config.llvm_tools_dir, config.environment.get("PATH", "")]
)

if shutil.which("ptxas", path=config.environment["PATH"]):
    config.available_features.add("ptxas")

if os.path.exists(os.path.join(config.mortar_lib_dir, "mortar-plugin.so")):
    config.available_features.add("mortar-plugin")

# A test that needs a tool says `REQUIRES: mortar-compile`.
for tool in ("mortar-opt", "mortar-compile", "mortar-run"):
    if os.path.exists(os.path.join(config.mortar_tools_dir, tool)):
        config.available_features.add(tool)
