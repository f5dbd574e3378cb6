using System.Collections.Generic;
using UnityEngine;

namespace Mfn.Unity
{
    /// <summary>Those blendshapes of a character's meshes that are ARKit's, by whatever spelling.</summary>
    internal sealed class FaceBlendshapes
    {
        private readonly List<Target> targets = new List<Target>();

        public FaceBlendshapes(IEnumerable<SkinnedMeshRenderer> renderers)
        {
            foreach (var renderer in renderers)
            {
                var mesh = renderer.sharedMesh;
                for (var shape = 0; mesh != null && shape < mesh.blendShapeCount; shape++)
                {
                    var name = BlendshapeNames.ToArkit(mesh.GetBlendShapeName(shape));
                    if (name == null) continue;
                    // 100 in an .fbx, 1 in a .glb that glTFast has imported
                    var full = mesh.GetBlendShapeFrameWeight(shape, mesh.GetBlendShapeFrameCount(shape) - 1);
                    targets.Add(new Target
                    {
                        Renderer = renderer,
                        Shape = shape,
                        Name = name,
                        Mirrored = ArkitNames.Mirrored(name),
                        Full = full,
                    });
                }
            }
        }

        public int Count => targets.Count;

        /// <summary>Moves the meshes toward the weights of a face, or toward none where it is null.</summary>
        /// <param name="weights">ARKit's 52 by name, 0 to 1.</param>
        /// <param name="mirror">Left and right are swapped.</param>
        /// <param name="share">Of the way to go, 0 to 1.</param>
        public void Follow(IReadOnlyDictionary<string, float> weights, bool mirror, float share)
        {
            for (var i = 0; i < targets.Count; i++)
            {
                var target = targets[i];
                var weight = 0f;
                weights?.TryGetValue(mirror ? target.Mirrored : target.Name, out weight);
                target.Weight += (weight - target.Weight) * share;
                target.Renderer.SetBlendShapeWeight(target.Shape, target.Weight * target.Full);
                targets[i] = target;
            }
        }

        private struct Target
        {
            public SkinnedMeshRenderer Renderer;
            public int Shape; // its number in the mesh
            public string Name; // ARKit's
            public string Mirrored; // ARKit's of the other side
            public float Full; // Unity's number for weight 1
            public float Weight; // 0 to 1, as shown
        }
    }
}
