// A stand-in for the parts of UnityEngine that the package uses, with Unity's names and signatures, so that the package
// compiles, and its arithmetic runs, where there is no Unity. It draws nothing, and proves nothing about Unity itself.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;

namespace UnityEngine
{
    public struct Vector3
    {
        public float x, y, z;

        public Vector3(float x, float y, float z)
        {
            this.x = x;
            this.y = y;
            this.z = z;
        }

        public static Vector3 zero => new Vector3(0, 0, 0);
        public static Vector3 up => new Vector3(0, 1, 0);
        public static Vector3 right => new Vector3(1, 0, 0);
        public static Vector3 forward => new Vector3(0, 0, 1);
    }

    public struct Quaternion
    {
        public float x, y, z, w;

        public Quaternion(float x, float y, float z, float w)
        {
            this.x = x;
            this.y = y;
            this.z = z;
            this.w = w;
        }

        public static Quaternion identity => new Quaternion(0, 0, 0, 1);

        public static Quaternion operator *(Quaternion a, Quaternion b) =>
            new Quaternion(
                a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
                a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
                a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
                a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z);

        public static Vector3 operator *(Quaternion q, Vector3 v)
        {
            var p = q * new Quaternion(v.x, v.y, v.z, 0) * Inverse(q);
            return new Vector3(p.x, p.y, p.z);
        }

        public static Quaternion Inverse(Quaternion q) => new Quaternion(-q.x, -q.y, -q.z, q.w);

        public static float Dot(Quaternion a, Quaternion b) => a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;

        /// <summary>About z, then x, then y, in degrees, as Unity's.</summary>
        public static Quaternion Euler(float x, float y, float z) =>
            AngleAxis(y, Vector3.up) * AngleAxis(x, Vector3.right) * AngleAxis(z, Vector3.forward);

        public static Quaternion AngleAxis(float angle, Vector3 axis)
        {
            var half = angle * Mathf.Deg2Rad / 2;
            var sine = (float)Math.Sin(half);
            return new Quaternion(axis.x * sine, axis.y * sine, axis.z * sine, (float)Math.Cos(half));
        }

        public static Quaternion Slerp(Quaternion a, Quaternion b, float t)
        {
            var dot = Dot(a, b);
            var sign = dot < 0 ? -1 : 1;
            var angle = Math.Acos(Math.Min(1, Math.Abs(dot)));
            var sine = Math.Sin(angle);
            var first = sine < 1e-6 ? 1 - t : (float)(Math.Sin((1 - t) * angle) / sine);
            var second = sign * (sine < 1e-6 ? t : (float)(Math.Sin(t * angle) / sine));
            return new Quaternion(
                a.x * first + b.x * second,
                a.y * first + b.y * second,
                a.z * first + b.z * second,
                a.w * first + b.w * second);
        }
    }

    public static class Mathf
    {
        public const float Deg2Rad = (float)(Math.PI / 180);

        public static float Abs(float value) => Math.Abs(value);
        public static float Exp(float power) => (float)Math.Exp(power);
        public static float Sin(float radians) => (float)Math.Sin(radians);
        public static float Cos(float radians) => (float)Math.Cos(radians);
    }

    public static class Time
    {
        public static float deltaTime => 1;
        public static float unscaledTime => 0;
    }

    public static class Debug
    {
        public static void Log(object message) => Console.WriteLine(message);
        public static void LogWarning(object message) => Console.WriteLine(message);
        public static void LogWarning(object message, Object context) => Console.WriteLine(message);
        public static void LogError(object message) => Console.WriteLine(message);
    }

    public class Object
    {
        public string name { get; set; }

        public static bool operator ==(Object a, Object b) => ReferenceEquals(a, b);
        public static bool operator !=(Object a, Object b) => !ReferenceEquals(a, b);
        public override bool Equals(object other) => ReferenceEquals(this, other);
        public override int GetHashCode() => base.GetHashCode();

        public static void Destroy(Object target) { }
        public static void DestroyImmediate(Object target) { }

        public static T FindAnyObjectByType<T>() where T : Object =>
            GameObject.All.SelectMany(made => made.Components).OfType<T>().FirstOrDefault();
    }

    public class GameObject : Object
    {
        internal static readonly List<GameObject> All = new List<GameObject>();
        internal readonly List<Component> Components = new List<Component>();

        public GameObject(string name)
        {
            this.name = name;
            AddComponent<Transform>();
            All.Add(this);
        }

        public Transform transform => (Transform)Components[0];

        public T AddComponent<T>() where T : Component
        {
            var component = Activator.CreateInstance<T>();
            component.gameObject = this;
            component.name = name;
            Components.Add(component);
            return component;
        }
    }

    public class Component : Object
    {
        public GameObject gameObject { get; internal set; }
        public Transform transform => gameObject.transform;

        public T GetComponent<T>() => gameObject.Components.OfType<T>().FirstOrDefault();

        public T GetComponentInChildren<T>() => GetComponentsInChildren<T>(false).FirstOrDefault();

        public T[] GetComponentsInChildren<T>(bool includeInactive) =>
            gameObject.Components.OfType<T>()
                .Concat(transform.Children.SelectMany(child => child.GetComponentsInChildren<T>(includeInactive)))
                .ToArray();
    }

    public class Transform : Component
    {
        internal readonly List<Transform> Children = new List<Transform>();

        public Transform parent { get; private set; }
        public Vector3 position { get; set; }
        public Quaternion localRotation { get; set; } = Quaternion.identity;

        public Quaternion rotation
        {
            get => parent == null ? localRotation : parent.rotation * localRotation;
            set => localRotation = parent == null ? value : Quaternion.Inverse(parent.rotation) * value;
        }

        public void SetParent(Transform parent, bool worldPositionStays)
        {
            this.parent = parent;
            parent.Children.Add(this);
        }
    }

    public class Behaviour : Component { }

    public class MonoBehaviour : Behaviour
    {
        public Coroutine StartCoroutine(IEnumerator routine) => null;
        public void StopAllCoroutines() { }
    }

    public class Coroutine { }
    public class AsyncOperation { }

    public class WaitUntil
    {
        public WaitUntil(Func<bool> predicate) { }
    }

    public class Animator : Behaviour
    {
        public bool isHuman => false;
        public Transform GetBoneTransform(HumanBodyBones bone) => null;
    }

    public enum HumanBodyBones
    {
        Neck = 9,
        Head = 10,
        LeftEye = 21,
        RightEye = 22,
    }

    public class Renderer : Component { }

    public class SkinnedMeshRenderer : Renderer
    {
        private readonly Dictionary<int, float> weights = new Dictionary<int, float>();

        public Mesh sharedMesh { get; set; }
        public Transform[] bones { get; set; } = new Transform[0];

        public float GetBlendShapeWeight(int index) => weights.TryGetValue(index, out var weight) ? weight : 0;
        public void SetBlendShapeWeight(int index, float value) => weights[index] = value;
    }

    public class Mesh : Object
    {
        private readonly List<KeyValuePair<string, float>> shapes = new List<KeyValuePair<string, float>>();

        public Vector3[] vertices { get; set; }
        public int[] triangles { get; set; }
        public int blendShapeCount => shapes.Count;

        public void AddBlendShapeFrame(
            string shapeName,
            float frameWeight,
            Vector3[] deltaVertices,
            Vector3[] deltaNormals,
            Vector3[] deltaTangents) =>
            shapes.Add(new KeyValuePair<string, float>(shapeName, frameWeight));

        public string GetBlendShapeName(int shapeIndex) => shapes[shapeIndex].Key;
        public int GetBlendShapeFrameCount(int shapeIndex) => 1;
        public float GetBlendShapeFrameWeight(int shapeIndex, int frameIndex) => shapes[shapeIndex].Value;
    }

    public class Light : Behaviour { }

    public class Camera : Behaviour
    {
        public static Camera main => null;
        public float fieldOfView { get; set; }
        public float nearClipPlane { get; set; }
    }

    public struct Color32
    {
        public byte r, g, b, a;

        public Color32(byte r, byte g, byte b, byte a)
        {
            this.r = r;
            this.g = g;
            this.b = b;
            this.a = a;
        }
    }

    public enum TextureFormat
    {
        RGBA32 = 4,
    }

    public class Texture : Object
    {
        public int width { get; set; }
        public int height { get; set; }
    }

    public class TextAsset : Object
    {
        public TextAsset(string text)
        {
            this.text = text;
        }

        public string text { get; }
    }

    public class Texture2D : Texture
    {
        public Texture2D(int width, int height, TextureFormat textureFormat, bool mipChain) { }
        public void SetPixels32(Color32[] colors) { }
    }

    public static class ImageConversion
    {
        public static byte[] EncodeToJPG(this Texture2D tex, int quality) => new byte[0];
    }

    public struct WebCamDevice
    {
        public string name => "";
    }

    public class WebCamTexture : Texture
    {
        public WebCamTexture(string deviceName, int requestedWidth, int requestedHeight, int requestedFPS) { }
        public static WebCamDevice[] devices => new WebCamDevice[0];
        public bool didUpdateThisFrame => false;
        public int videoRotationAngle => 0;
        public bool videoVerticallyMirrored => false;
        public void Play() { }
        public void Stop() { }
        public Color32[] GetPixels32(Color32[] colors) => colors;
    }

    public enum UserAuthorization
    {
        WebCam = 1,
    }

    public static class Application
    {
        public static AsyncOperation RequestUserAuthorization(UserAuthorization mode) => null;
        public static bool HasUserAuthorization(UserAuthorization mode) => true;
    }

    public sealed class SerializeField : Attribute { }
    public sealed class DisallowMultipleComponent : Attribute { }

    public sealed class HeaderAttribute : Attribute
    {
        public HeaderAttribute(string header) { }
    }

    public sealed class TooltipAttribute : Attribute
    {
        public TooltipAttribute(string tooltip) { }
    }

    public sealed class RangeAttribute : Attribute
    {
        public RangeAttribute(float min, float max) { }
    }

    public sealed class AddComponentMenu : Attribute
    {
        public AddComponentMenu(string menuName) { }
    }

    public sealed class ContextMenu : Attribute
    {
        public ContextMenu(string itemName) { }
    }

    public sealed class RequireComponent : Attribute
    {
        public RequireComponent(Type requiredComponent) { }
    }
}

namespace UnityEngine.Android
{
    public static class Permission
    {
        public const string Camera = "android.permission.CAMERA";
        public static bool HasUserAuthorizedPermission(string permission) => true;
        public static void RequestUserPermission(string permission) { }
    }
}
