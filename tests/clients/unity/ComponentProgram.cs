// Moves a character with the package's components, on the stand-in for Unity: sends a picture by a FaceStream, and
// prints as JSON how two characters stand then, of which one moves as in a mirror.
//
//     ComponentProgram.exe ADDRESS FILE [NEUTRAL]     NEUTRAL: a file with a resting face
using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading;
using Mfn;
using Mfn.Unity;
using UnityEngine;

internal static class ComponentProgram
{
    private static int Main(string[] arguments)
    {
        var stream = new GameObject("Faces").AddComponent<FaceStream>();
        stream.Address = arguments[0];
        if (arguments.Length > 2) stream.Neutral = new TextAsset(File.ReadAllText(arguments[2])) { name = "neutral" };
        Call(stream, "OnEnable");
        if (!SpinWait.SpinUntil(() => stream.Ready, TimeSpan.FromSeconds(20))) return 1;
        using (var answered = new ManualResetEventSlim())
        {
            var plain = Character(mirror: false);
            var mirrored = Character(mirror: true);
            stream.Answered += _ => answered.Set();
            foreach (var avatar in new[] { plain, mirrored }) Call(avatar, "Awake", "Start", "LateUpdate");
            stream.Send(File.ReadAllBytes(arguments[1]));
            if (!answered.Wait(TimeSpan.FromSeconds(20))) return 1;
            foreach (var avatar in new[] { plain, mirrored }) Call(avatar, "LateUpdate");
            Console.WriteLine($"{{\"plain\":{Shown(plain)},\"mirrored\":{Shown(mirrored)}}}");
        }
        Call(stream, "OnDisable");
        return 0;
    }

    /// <summary>A character with the bones and all the blendshapes of Studio's.</summary>
    private static FaceAvatar Character(bool mirror)
    {
        var root = new GameObject("human");
        var parent = root.transform;
        foreach (var name in new[] { "neck", "head" }) parent = Child(parent, name);
        foreach (var name in new[] { "eye_left", "eye_right" }) Child(parent, name);
        var skin = Child(root.transform, "face").gameObject.AddComponent<SkinnedMeshRenderer>();
        skin.sharedMesh = new Mesh();
        foreach (var name in ArkitNames.All) skin.sharedMesh.AddBlendShapeFrame(name, 1, null, null, null);
        var avatar = root.AddComponent<FaceAvatar>();
        avatar.Mirror = mirror;
        return avatar;
    }

    private static Transform Child(Transform parent, string name)
    {
        var child = new GameObject(name).transform;
        child.SetParent(parent, false);
        return child;
    }

    private static void Call(MonoBehaviour component, params string[] messages)
    {
        const BindingFlags own = BindingFlags.Instance | BindingFlags.NonPublic;
        foreach (var message in messages) component.GetType().GetMethod(message, own).Invoke(component, null);
    }

    private static string Shown(FaceAvatar avatar)
    {
        var bones = avatar
            .GetComponentsInChildren<Transform>(true)
            .ToDictionary(part => part.name, part => part.rotation);
        var skin = avatar.GetComponentInChildren<SkinnedMeshRenderer>();
        var weights = ArkitNames.All.Select((name, shape) => $"\"{name}\":{Text(skin.GetBlendShapeWeight(shape))}");
        var rotations = new[] { "neck", "head", "eye_left", "eye_right" }
            .Select(name => $"\"{name}\":{Numbers(bones[name].x, bones[name].y, bones[name].z, bones[name].w)}");
        return $"{{\"bones\":{{{string.Join(",", rotations)}}},\"weights\":{{{string.Join(",", weights)}}}}}";
    }

    private static string Numbers(params float[] values) => $"[{string.Join(",", values.Select(Text))}]";

    private static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
