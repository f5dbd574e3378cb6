// A stand-in for the parts of NUnit that the package's tests use, and a program that runs the tests of an assembly:
// it prints a line for each that fails, then "N passed, N failed", and exits with 1 where one has failed.
using System;
using System.Linq;
using System.Reflection;

namespace NUnit.Framework
{
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class TestAttribute : Attribute { }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class TearDownAttribute : Attribute { }

    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
    public sealed class TestCaseAttribute : Attribute
    {
        public TestCaseAttribute(params object[] arguments)
        {
            Arguments = arguments;
        }

        public object[] Arguments { get; }
    }

    public sealed class AssertionException : Exception
    {
        public AssertionException(string message) : base(message) { }
    }

    public static class Assert
    {
        public static void AreEqual(object expected, object actual)
        {
            var same = expected is Array first && actual is Array second
                ? first.Cast<object>().SequenceEqual(second.Cast<object>())
                : expected is int whole && actual is long large ? whole == large : Equals(expected, actual);
            if (!same) throw new AssertionException($"expected {Shown(expected)}, got {Shown(actual)}");
        }

        public static void AreEqual(double expected, double actual, double delta)
        {
            if (!(Math.Abs(expected - actual) <= delta))
                throw new AssertionException($"expected {expected}, got {actual}");
        }

        public static void IsTrue(bool condition) => AreEqual(true, condition);
        public static void IsFalse(bool condition) => AreEqual(false, condition);
        public static void IsNull(object value) => AreEqual(null, value);

        public static T Throws<T>(Action code) where T : Exception
        {
            try
            {
                code();
            }
            catch (T expected)
            {
                return expected;
            }
            throw new AssertionException($"expected {typeof(T).Name}, and nothing was thrown");
        }

        private static string Shown(object value) =>
            value is Array many ? string.Join(", ", many.Cast<object>()) : $"{value ?? "null"}";
    }

    internal static class Runner
    {
        private static int Main()
        {
            int passed = 0, failed = 0;
            foreach (var type in Assembly.GetExecutingAssembly().GetTypes())
            foreach (var method in type.GetMethods())
            foreach (var arguments in CasesOf(method))
            {
                try
                {
                    var fixture = Activator.CreateInstance(type);
                    method.Invoke(fixture, arguments);
                    foreach (var end in type.GetMethods().Where(other => other.IsDefined(typeof(TearDownAttribute))))
                        end.Invoke(fixture, null);
                    passed++;
                }
                catch (TargetInvocationException problem)
                {
                    var call = $"{type.Name}.{method.Name}({string.Join(", ", arguments)})";
                    Console.WriteLine($"{call}: {problem.InnerException}");
                    failed++;
                }
            }
            Console.WriteLine($"{passed} passed, {failed} failed");
            return failed == 0 ? 0 : 1;
        }

        private static object[][] CasesOf(MethodInfo method) =>
            method.IsDefined(typeof(TestAttribute))
                ? new[] { new object[0] }
                : method
                    .GetCustomAttributes<TestCaseAttribute>()
                    .Select(test => Converted(test.Arguments, method))
                    .ToArray();

        /// <summary>A whole number for a parameter that is a double, as NUnit allows it.</summary>
        private static object[] Converted(object[] arguments, MethodInfo method) =>
            arguments
                .Zip(
                    method.GetParameters().Select(parameter => parameter.ParameterType),
                    (value, type) => type == typeof(double) ? Convert.ToDouble(value) : value)
                .ToArray();
    }
}
